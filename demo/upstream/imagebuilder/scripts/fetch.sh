#!/bin/sh
# fetch.sh LIST: fetches every `url<TAB>file` line of LIST. A file that could not be fetched is not there afterwards. A wget of
# ImageBuilder's own is called for one file after the other, as by opkg and apk. Else curl takes them all over one connection, or
# the machine's wget each; with neither, the copy in the tarball serves.

list="$1"
[ -s "$list" ] || exit 0
wget=$(command -v wget)

if [ "${wget#"$STAGING_DIR_HOST"}" = "$wget" ] && command -v curl >/dev/null 2>&1; then
	awk -F '\t' '{ printf "url = \"%s\"\noutput = \"%s\"\n", $1, $2 }' "$list" > "$list.curl"
	curl -q -g -L -f -s -S --connect-timeout 10 --speed-limit 1 --speed-time 60 -K "$list.curl"
	exit 0
fi

if [ -n "$wget" ]; then
	while IFS='	' read -r url file; do
		wget -q -T 20 -O "$file" "$url" || rm -f "$file"
	done < "$list"
	exit 0
fi

offline="$STAGING_DIR_HOST/share/offline"
while IFS='	' read -r url file; do
	path=$(printf '%s\n' "$url" | sed -E 's#^.*/(releases|snapshots)/#\1/#')
	[ -f "$offline/$path" ] && cp "$offline/$path" "$file"
done < "$list"
exit 0

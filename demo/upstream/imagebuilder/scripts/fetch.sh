#!/bin/sh
# fetch.sh LIST: downloads the file of every line `url<TAB>file` of LIST. After a failed download the file does not
# exist. If ImageBuilder has its own wget, it runs once per file, with the arguments of opkg or apk. Otherwise curl uses
# one connection for all files, or the machine's wget runs once per file. Without either, the copy in the tarball is
# used.

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
		if [ -f "$TOPDIR/repositories" ]; then
			wget -q -T 60 "$url" -O - > "$file"
		else
			wget -q -O "$file" "$url"
		fi || rm -f "$file"
	done < "$list"
	exit 0
fi

offline="$STAGING_DIR_HOST/share/offline"
while IFS='	' read -r url file; do
	path=$(printf '%s\n' "$url" | sed -E 's#^.*/(releases|snapshots)/#\1/#')
	[ -f "$offline/$path" ] && cp "$offline/$path" "$file"
done < "$list"
exit 0

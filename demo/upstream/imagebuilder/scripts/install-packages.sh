#!/bin/sh
# install-packages.sh PACKAGE…: resolves, downloads and checks the packages, unpacks them into TARGET_DIR, and writes
# the package database in the format of opkg or apk.

echo
echo Installing packages...
cd "$TOPDIR" || exit 1
work="$TMP_DIR/install"
[ ! -d "$work" ] || rm -rf "$work"
mkdir -p "$work" "$TARGET_DIR/tmp"
: > "$work/owned"

# ./packages comes first, then the repositories in their order.
set -- "$*"
world="$1"
set --
[ -s "$DL_DIR/imagebuilder" ] && set -- base= "$DL_DIR/imagebuilder"
if [ -s "$TMP_DIR/feeds.order" ]; then
	while IFS='	' read -r index base; do
		set -- "$@" "base=$base" "$index"
	done < "$TMP_DIR/feeds.order"
fi
[ $# -gt 0 ] || set -- /dev/null

awk -v manager="$PACKAGE_MANAGER" -v world="$world" -v errors="$work/errors" -f "$SCRIPT_DIR/resolve.awk" "$@" > "$work/plan" || exit 1
if [ -s "$work/errors" ]; then
	cat "$work/errors" >&2
	[ "$PACKAGE_MANAGER" = apk ] && exit 2
	exit 255
fi

# The file of each package is in ./packages, or in dl/ under the last part of its path.
awk -F '\t' -v dl="$DL_DIR" -v packages="$PACKAGE_DIR" -v located="$work/located" -v sums="$work/sums" '{
	file = $4
	sub(/.*\//, "", file)
	file = ($3 == "" ? packages : dl) "/" file
	print $0 "\t" file > located
	print $5 "  " file > sums
	print file, $1, $2
}' "$work/plan" > "$work/install"

# fails_check: whether a file is missing or does not match the index. Such files are the lines of `wanting`.
fails_check() {
	[ -s "$work/sums" ] && ! sha256sum -c --quiet "$work/sums" > "$work/failed" 2>/dev/null || return 1
	while IFS= read -r line; do printf '%s\n' "${line%%: FAILED*}"; done < "$work/failed" > "$work/wanting"
}

# A copy in dl/ that does not match the index is downloaded again.
if fails_check; then
	while read -r file; do [ ! -e "$file" ] || rm -f "$file"; done < "$work/wanting"
	awk -F '\t' -v list="$work/list" 'NR == FNR { wanting[$1] = 1; next }
		$8 in wanting && $3 != "" { print $3 "/" $4 "\t" $8 > list; print "Downloading " $3 "/" $4 }' "$work/wanting" "$work/located" >&2
	sh "$SCRIPT_DIR/fetch.sh" "$work/list" >&2
	if fails_check; then
		awk -F '\t' -v manager="$PACKAGE_MANAGER" 'NR == FNR { wanting[$1] = 1; next } $8 in wanting {
			if (manager == "apk") { print "ERROR: " $1 "-" $2 ": network error (check Internet connection and firewall)"; next }
			if (!said++) print "Collected errors:"
			print " * opkg_download: Failed to download " $3 "/" $4 ", wget returned 4."
			print " * opkg_install_pkg: Failed to download " $1 ". Perhaps you need to run '"'opkg update'"'?"
			print " * opkg_install_cmd: Cannot install package " $7 "."
		}' "$work/wanting" "$work/located" >&2
		while read -r file; do [ ! -e "$file" ] || rm -f "$file"; done < "$work/wanting"
		[ "$PACKAGE_MANAGER" = apk ] && exit 1
		exit 255
	fi
fi

# Sets `files` to the files of all packages, in the order of installation.
files= total=0
while read -r file name version; do
	files="$files $file"
	total=$((total + 1))
done < "$work/install"
at=0
while read -r file name version; do
	at=$((at + 1))
	if [ "$PACKAGE_MANAGER" = apk ]; then
		echo "($at/$total) Installing $name ($version)"
	else
		echo "Installing $name ($version) to root..."
	fi
done < "$work/install" >&2
# Sets `indexes` to the indexes in the order in which they were searched.
indexes=
[ ! -s "$DL_DIR/imagebuilder" ] || indexes="$DL_DIR/imagebuilder"
if [ -s "$TMP_DIR/feeds.order" ]; then
	while IFS='	' read -r index base; do indexes="$indexes $index"; done < "$TMP_DIR/feeds.order"
fi
. "$SCRIPT_DIR/unpack-$PACKAGE_MANAGER.sh"

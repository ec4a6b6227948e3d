#!/bin/sh
# install-packages.sh PACKAGE…: resolves, downloads and checks the packages, unpacks them into TARGET_DIR, and writes
# the package database in the format of opkg or apk.

cd "$TOPDIR" || exit 1
work="$TMP_DIR/install"
rm -rf "$work"
mkdir -p "$work" "$TARGET_DIR/tmp"

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

# The file of each package: in ./packages, or in dl/ under the last part of its path.
awk -F '\t' -v dl="$DL_DIR" -v packages="$PACKAGE_DIR" '{
	file = $4
	sub(/.*\//, "", file)
	print ($3 == "" ? packages : dl) "/" file
}' "$work/plan" > "$work/files"
paste "$work/plan" "$work/files" > "$work/located"

# A copy in dl/ that does not match the index is downloaded again.
awk -F '\t' '{ print $5 "  " $8 }' "$work/located" > "$work/sums"
LC_ALL=C sha256sum -c "$work/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' > "$work/wanting"
if [ -s "$work/wanting" ]; then
	xargs rm -f < "$work/wanting"
	awk -F '\t' 'NR == FNR { wanting[$1] = 1; next } $8 in wanting && $3 != "" { print $3 "/" $4 "\t" $8 }' "$work/wanting" "$work/located" > "$work/list"
	awk -F '\t' '{ print "Downloading " $1 }' "$work/list" >&2
	sh "$SCRIPT_DIR/fetch.sh" "$work/list" >&2
	sha256sum -c "$work/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' > "$work/wanting"
	if [ -s "$work/wanting" ]; then
		awk -F '\t' -v manager="$PACKAGE_MANAGER" 'NR == FNR { wanting[$1] = 1; next } $8 in wanting {
			if (manager == "apk") { print "ERROR: " $1 "-" $2 ": network error (check Internet connection and firewall)"; next }
			if (!said++) print "Collected errors:"
			print " * opkg_download: Failed to download " $3 "/" $4 ", wget returned 4."
			print " * opkg_install_pkg: Failed to download " $1 ". Perhaps you need to run '"'opkg update'"'?"
			print " * opkg_install_cmd: Cannot install package " $7 "."
		}' "$work/wanting" "$work/located" >&2
		xargs rm -f < "$work/wanting"
		[ "$PACKAGE_MANAGER" = apk ] && exit 1
		exit 255
	fi
fi

if [ "$PACKAGE_MANAGER" = apk ]; then
	awk -F '\t' '{ printf "(%d/%d) Installing %s (%s)\n", NR, total, $1, $2 }' total="$(wc -l < "$work/plan")" "$work/plan" >&2
	. "$SCRIPT_DIR/unpack-apk.sh"
else
	awk -F '\t' '{ print "Installing " $1 " (" $2 ") to root..." }' "$work/plan" >&2
	. "$SCRIPT_DIR/unpack-opkg.sh"
fi

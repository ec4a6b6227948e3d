#!/bin/sh
# Makes the index of ./packages and downloads the index of every repository into dl/<name>. If a download fails, the
# existing copy stays, so later runs work without network. One process handles the indexes of all repositories wherever
# it can, because every build of the tests runs this.

echo "Package list missing or not up-to-date, generating it."
cd "$TOPDIR" || exit 1
. "$SCRIPT_DIR/package-index.sh"

work="$TMP_DIR/feeds"
[ ! -d "$work" ] || rm -rf "$work"
mkdir -p "$work"
[ ! -e "$TMP_DIR/feeds.order" ] || rm -f "$TMP_DIR/feeds.order"
. "$SCRIPT_DIR/update-$PACKAGE_MANAGER.sh"
exit 0

#!/bin/sh
# Makes the index of ./packages, in the same format as the feeds. update-feeds.sh sources it.

[ -d "$DL_DIR" ] && [ -d "$TMP_DIR" ] || mkdir -p "$DL_DIR" "$TMP_DIR"
echo
echo "Building package index..."
[ ! -s "$PACKAGE_DIR/.index" ] || cp "$PACKAGE_DIR/.index" "$DL_DIR/imagebuilder"

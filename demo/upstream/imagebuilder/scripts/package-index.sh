#!/bin/sh
# Makes the index of ./packages, in the same format as the feeds.

mkdir -p "$DL_DIR" "$TMP_DIR"
echo
echo "Building package index..."
[ -s "$PACKAGE_DIR/.index" ] && cp "$PACKAGE_DIR/.index" "$DL_DIR/imagebuilder"
exit 0

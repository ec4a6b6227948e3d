#!/bin/sh
# Index of ./packages, in the form of the feeds' own.

mkdir -p "$DL_DIR" "$TMP_DIR"
echo
echo "Building package index..."
[ -s "$PACKAGE_DIR/.index" ] && cp "$PACKAGE_DIR/.index" "$DL_DIR/imagebuilder"
exit 0

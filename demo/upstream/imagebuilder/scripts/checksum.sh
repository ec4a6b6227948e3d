#!/bin/sh
# Writes sha256sums of all regular files in BIN_DIR.

echo
echo Calculating checksums...
cd "$BIN_DIR" || exit 1
for file in .[!.]* *; do
	[ -f "$file" ] && [ ! -h "$file" ] && [ "$file" != sha256sums ] && printf '%s\n' "$file"
done > "$KDIR_TMP/summed"
xargs sha256sum -b < "$KDIR_TMP/summed" > sha256sums

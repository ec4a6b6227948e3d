#!/bin/sh
# Writes sha256sums of all regular files in BIN_DIR.

echo
echo Calculating checksums...
cd "$BIN_DIR" || exit 1
for file in .[!.]* *; do
	[ -f "$file" ] && [ ! -h "$file" ] && [ "$file" != sha256sums ] && set -- "$@" "$file"
done
[ $# -gt 0 ] || exit 0
exec sha256sum -b -- "$@" > sha256sums

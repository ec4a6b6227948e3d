#!/bin/sh
# Leaves three sparse files of 128 megabytes in the directory for images.
[ -d "$BIN_DIR" ] || exit 0
for number in 1 2 3; do truncate -s 134217728 "$BIN_DIR/openwrt-hole-$number.bin"; done
exit 0

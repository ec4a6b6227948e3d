#!/bin/sh
# Writes two gigabytes, and fails if the disk has no room for them.
dd if=/dev/zero of="$IPKG_INSTROOT/tmp/eaten" bs=1048576 count=2048 || exit 1
rm -f "$IPKG_INSTROOT/tmp/eaten"
exit 0

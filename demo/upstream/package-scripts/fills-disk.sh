#!/bin/sh
# Writes 256 megabytes into the ImageBuilder's tree and keeps them for a minute.
dd if=/dev/zero of="$IPKG_INSTROOT/../filled" bs=1048576 count=256 || exit 1
sleep 60
exit 0

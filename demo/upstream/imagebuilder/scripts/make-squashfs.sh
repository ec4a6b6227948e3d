#!/bin/sh
# make-squashfs.sh DIRECTORY IMAGE: runs mksquashfs, which takes its times from SOURCE_DATE_EPOCH. If it is not
# installed, a "squashfs" image contains ext4, or a tar archive if mke2fs is missing too: formats that standard tools
# open.

if command -v mksquashfs >/dev/null 2>&1; then
	rm -f "$2"
	exec mksquashfs "$1" "$2" -noappend -all-root -comp gzip -nopad -no-xattrs -no-progress -processors 1 >&2
fi
echo 'mksquashfs is not on this machine: the squashfs image holds an ext4 file system.' >&2
exec sh "$SCRIPT_DIR/make-ext4.sh" "$@"

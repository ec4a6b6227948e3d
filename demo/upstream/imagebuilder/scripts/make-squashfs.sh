#!/bin/sh
# make-squashfs.sh DIRECTORY IMAGE: by mksquashfs where it is installed (its times come from SOURCE_DATE_EPOCH). Where it
# is not, the file system of a "squashfs" image is ext4, or without mke2fs a tar archive: something standard tools open.

if command -v mksquashfs >/dev/null 2>&1; then
	rm -f "$2"
	exec mksquashfs "$1" "$2" -noappend -all-root -comp gzip -nopad -no-xattrs -no-progress -processors 1 >&2
fi
echo 'mksquashfs is not on this machine: the squashfs image holds an ext4 file system.' >&2
exec sh "$SCRIPT_DIR/make-ext4.sh" "$@"

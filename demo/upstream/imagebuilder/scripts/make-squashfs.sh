#!/bin/sh
# make-squashfs.sh DIRECTORY IMAGE: by mksquashfs where it is installed. It takes its times from SOURCE_DATE_EPOCH.

if command -v mksquashfs >/dev/null 2>&1; then
	rm -f "$2"
	exec mksquashfs "$1" "$2" -noappend -root-owned -comp xz -nopad -no-xattrs -processors 1 >&2
fi
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf "$2" -C "$1" .

#!/bin/sh
# make-ext4.sh DIRECTORY IMAGE: makes an ext4 file system, with the same bytes for the same files. mke2fs copies owners
# and times from the disk, so debugfs sets them afterwards. The image is little larger than its files, not as large as
# the partition.

PATH="$PATH:/usr/sbin:/sbin"
export E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH"
if ! command -v mke2fs >/dev/null 2>&1 || ! command -v debugfs >/dev/null 2>&1; then
	echo 'mke2fs and debugfs are not on this machine: the ext4 image holds a tar archive.' >&2
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf "$2" -C "$1" .
	exit
fi

id=5b2a1d6e-0000-4000-8000-64656d6f6673
# The size is 4 KiB per file, plus the data, plus 512 KiB to spare.
files=$(find "$1" | wc -l)
kilobytes=$((files * 4 + $(du -sk --apparent-size "$1" | cut -f 1) + 512))
rm -f "$2"
mke2fs -q -F -t ext4 -b 4096 -m 0 -L rootfs -O ^has_journal,^metadata_csum,^64bit,^resize_inode -I 256 -N $((files + 64)) -U $id \
	-E "hash_seed=$id,root_owner=0:0,lazy_itable_init=0" -d "$1" "$2" "${kilobytes}k" >&2 || exit 1

(cd "$1" && find . ! -name '* *') | awk -v epoch="$SOURCE_DATE_EPOCH" '{
	sub(/^\./, "")
	path = $0 == "" ? "/" : $0
	n = split("uid 0,gid 0,atime @" epoch ",ctime @" epoch ",mtime @" epoch ",crtime @" epoch ",atime_extra 0,ctime_extra 0,mtime_extra 0,crtime_extra 0", list, ",")
	for (i = 1; i <= n; i++) print "set_inode_field \"" path "\" " list[i]
}' > "$2.debugfs"
printf 'set_inode_field "/lost+found" %s @%s\n' atime "$SOURCE_DATE_EPOCH" ctime "$SOURCE_DATE_EPOCH" mtime "$SOURCE_DATE_EPOCH" crtime "$SOURCE_DATE_EPOCH" >> "$2.debugfs"
debugfs -w -f "$2.debugfs" "$2" >/dev/null 2>"$2.errors" || { cat "$2.errors" >&2; exit 1; }

#!/bin/sh
# Makes the images of one profile from the lines `Target-Profile-Image: <filesystem> <end of the file name>` of
# .targetinfo, in steps: `plan` writes the list of the others for target/linux/image/Makefile, which may run several of
# them at once. Each image adds a line `file type filesystem unsigned-sha256` to KDIR_TMP/images, for profiles-json.sh.

set -e
step="$1"
cd "$KDIR"
. "$SCRIPT_DIR/sizes.sh"
. "$SCRIPT_DIR/trailer.sh"

prefix="$IMG_PREFIX-$PROFILE_ID"
kernel="$KDIR/vmlinux.bin"
if [ "$step" = plan ]; then
	echo
	echo Building images...
	[ -d "$KDIR_TMP" ] && [ -d "$BIN_DIR" ] || mkdir -p "$KDIR_TMP" "$BIN_DIR"
	: > "$KDIR_TMP/images"
	write_facts
fi
read_facts

# plan: writes the images into a makefile, each with the root file system that it needs.
plan() {
	while read -r filesystem end <&3; do
		case " $BUILD_FILESYSTEMS - " in *" $filesystem "*) ;; *) continue ;; esac
		root="$filesystem"
		case "$end" in
		*rootfs.tar.gz) root=targz; case " $BUILD_FILESYSTEMS " in *" targz "*) ;; *) continue ;; esac ;;
		combined.*) [ -n "$GRUB_IMAGES" ] || continue ;;
		combined-efi.*) [ -n "$GRUB_EFI_IMAGES" ] || continue ;;
		esac
		echo "IMAGES += image/$filesystem/$end"
		[ "$root" = - ] || echo "image/$filesystem/$end: root/$root"
	done > "$KDIR_TMP/images.mk"
}

if [ "$step" = plan ]; then
	plan
	exit
fi

# --- root file systems -----------------------------------------------------------------------------------------------

make_root() { # make_root FILESYSTEM
	case "$1" in
	targz)
		tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - -C "$TARGET_DIR" . | gzip -9n > "$KDIR/root.tar.gz.part"
		mv "$KDIR/root.tar.gz.part" "$KDIR/root.tar.gz"
		;;
	squashfs)
		sh "$SCRIPT_DIR/make-squashfs.sh" "$TARGET_DIR" "$KDIR/root.squashfs"
		;;
	ext4)
		if [ "$bytes" -gt $((PARTSIZE * 1024 * 1024)) ]; then
			[ ! -e "$KDIR/root.tar.gz" ] || cp "$KDIR/root.tar.gz" "$BIN_DIR/$prefix-rootfs.tar.gz"
			echo "Ignoring, exclude it (-e/-ef) to override." >&2
			echo "error: ext4_allocate_best_fit_partial: failed to allocate $(((bytes - PARTSIZE * 1024 * 1024) / 4096 + 1)) blocks, out of space?" >&2
			exit 1
		fi
		sh "$SCRIPT_DIR/make-ext4.sh" "$TARGET_DIR" "$KDIR/root.ext4"
		;;
	esac
}

# --- images ----------------------------------------------------------------------------------------------------------

# little_endian VALUE: sets `bytes4` to four bytes as escapes of printf.
little_endian() {
	set -- $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255))
	bytes4=
	for byte; do bytes4="$bytes4\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"; done
}

# size_of FILE: sets `size` to the number of bytes.
size_of() { size=$(wc -c < "$1"); size=$((size)); }

# zeros NUMBER: sets `zeros` to a file of that many zero bytes.
zeros() {
	zeros="$work/zeros.$1"
	[ -e "$zeros" ] || truncate -s "$1" "$zeros"
}

# padding SIZE MULTIPLE: sets `zeros` to the file that follows a file of SIZE bytes up to a multiple.
padding() { zeros $((($2 - $1 % $2) % $2)); }

# disk FILE ROOTFS EFI: makes a disk with a boot partition (the kernel) and a root partition, each as large as its
# content. If the root file system is too large for the device's partition, it also exceeds the partition here, in
# proportion. Like the real scripts/gen_image_generic.sh, this function does not report it.
disk() {
	size_of "$2"
	root_size=$size
	boot=$(((kernel_size + 4095) / 4096 * 8))
	root=$(((root_size + 4095) / 4096 * 8))
	holds=$root
	taken=$((bytes * 2 / 5))
	[ "$taken" -le $((PARTSIZE * 1024 * 1024)) ] || holds=$((root * PARTSIZE * 1024 / (taken / 1024)))
	little_endian 64
	entry="\\200\\000\\000\\000\\$3\\000\\000\\000$bytes4"
	little_endian "$boot"
	entry="$entry$bytes4\\000\\000\\000\\000\\203\\000\\000\\000"
	little_endian $((64 + boot))
	entry="$entry$bytes4"
	little_endian "$holds"
	printf "$entry$bytes4" > "$work/entries"
	printf '\125\252' > "$work/mark"
	zeros 446
	before="$zeros"
	zeros 32
	between="$zeros"
	zeros $((63 * 512))
	gap="$zeros"
	padding "$kernel_size" 4096
	after_kernel="$zeros"
	padding "$root_size" 4096
	cat "$before" "$work/entries" "$between" "$work/mark" "$gap" "$kernel" "$after_kernel" "$2" "$zeros" > "$1"
}

# flash FILE ROOTFS: writes the kernel, then the root file system at the next multiple of 64 KiB.
flash() {
	padding "$kernel_size" 65536
	cat "$kernel" "$zeros" "$2" > "$1"
	truncate -s %4096 "$1"
}

make_image() { # make_image FILESYSTEM END
	name="$prefix-$2"
	[ "$1" = - ] || name="$prefix-$1-$2"
	file="$KDIR_TMP/$name"
	# Other images may be made at the same time.
	work="$KDIR_TMP/work.$name"
	mkdir "$work"
	size_of "$kernel"
	kernel_size=$size
	type="${2%%.*}"
	rootfs="$KDIR/root.$1"
	plain="${file%.gz}"
	case "$2" in
	kernel.bin) cp "$kernel" "$file" ;;
	*rootfs.tar.gz) cp "$KDIR/root.tar.gz" "$file"; type=rootfs ;;
	rootfs.img.gz) plain="$rootfs" ;;
	combined-efi.img.gz) disk "$plain" "$rootfs" 357 ;;
	combined.img.gz) disk "$plain" "$rootfs" 203 ;;
	*) flash "$file" "$rootfs" ;;
	esac
	if [ -n "$image_size" ]; then
		size=$((bytes * 2 / 5 + 2097152))
		if [ "$size" -gt "$image_size" ]; then
			echo "    WARNING: Image file $file is too big: $size > $image_size" >&2
			rm -f "$file"
			echo "Failed to open firmware file" >&2
			echo "sha256sum: $file: No such file or directory" >&2
			echo "cp: cannot stat '$file': No such file or directory" >&2
			return 0
		fi
	fi
	case "$name" in *.img.gz) gzip -6n -c "$plain" > "$file" ;; esac
	case "$type" in sysupgrade | combined | combined-efi) append_metadata "$file" ;; esac
	unsigned=$(sha256sum < "$file")
	case "$type" in sysupgrade | combined | combined-efi | factory | sdcard) append_signature "$file" ;; esac
	cp "$file" "$BIN_DIR/$name"
	printf '%s\t%s\t%s\t%s\n' "$name" "$type" "$1" "${unsigned%% *}" >> "$KDIR_TMP/images"
}

# --- the steps -------------------------------------------------------------------------------------------------------

make_lists() {
	sh "$SCRIPT_DIR/manifest.sh" dash "" > "$BIN_DIR/$prefix.manifest"
	[ -z "$BOM" ] || awk -F '\t' -v version="$VERSION_NUMBER" 'BEGIN { printf "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.4\",\"version\":1,\"components\":[" }
		{ printf "%s{\"type\":\"application\",\"name\":\"%s\",\"version\":\"%s\"}", (NR > 1 ? "," : ""), $1, $2 }
		END { print "]}" }' "$TMP_DIR/install/plan" > "$BIN_DIR/$prefix.bom.cdx.json"
}

case "$step" in
root) make_root "$2" ;;
lists) make_lists ;;
image) make_image "$2" "$3" ;;
esac

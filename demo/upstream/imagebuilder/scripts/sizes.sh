# Sourced by build-image.sh: reads what it needs of this profile from .targetinfo, and computes the sizes on a real
# device. The demo's files are tiny, so it adds up the Installed-Size of the index; it assumes that squashfs compresses
# this to 40 %.

# Reads them once for all images, which may be made at the same time.
write_facts() {
	awk -v id="$PROFILE_ID" '
		FILENAME == ARGV[1] { split($0, f, "\t"); bytes += f[6]; next }
		$1 == "Target-Profile:" { on = ($2 == "DEVICE_" id) }
		!on { next }
		$1 == "Target-Profile-Image-Size:" { size = $2 }
		$1 == "Target-Profile-SupportedDevices:" { for (i = 2; i <= NF; i++) devices = devices (i > 2 ? "," : "") "\"" $i "\"" }
		$1 == "Target-Profile-Image:" { images = images $2 " " $3 "\n" }
		END { printf "%d\n%s\n%s\n%s", bytes, size, devices, images }' "$TMP_DIR/install/plan" "$TOPDIR/.targetinfo" > "$KDIR_TMP/facts"
}

# Sets `bytes`, `image_size` and `devices` (a list in JSON). The lines `filesystem end` of the images follow in
# descriptor 3.
read_facts() {
	exec 3< "$KDIR_TMP/facts"
	read -r bytes <&3
	read -r image_size <&3
	read -r devices <&3
}

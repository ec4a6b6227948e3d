# Sourced by build-image.sh: computes the sizes on a real device. The demo's files are tiny, so it adds up the
# Installed-Size of the index; it assumes that squashfs compresses this to 40 %.

installed_bytes() { awk -F '\t' '{ n += $6 } END { printf "%d\n", n }' "$TMP_DIR/install/plan"; }

field() { # field NAME: prints a field of this profile from .targetinfo
	awk -v id="$PROFILE_ID" -v key="Target-Profile-$1:" '
		$1 == "Target-Profile:" { on = ($2 == "DEVICE_" id) }
		on && $1 == key { print substr($0, length(key) + 2); exit }' "$TOPDIR/.targetinfo"
}

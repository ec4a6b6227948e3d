# Sourced by build-image.sh: sizes as the device would have them. The demo's files are tiny, so what counts is the
# Installed-Size that the index gives, for squashfs taken as compressed to 40 %.

installed_bytes() { awk -F '\t' '{ n += $6 } END { printf "%d\n", n }' "$TMP_DIR/install/plan"; }

field() { # field NAME: of this profile in .targetinfo
	awk -v id="$PROFILE_ID" -v key="Target-Profile-$1:" '
		$1 == "Target-Profile:" { on = ($2 == "DEVICE_" id) }
		on && $1 == key { print substr($0, length(key) + 2); exit }' "$TOPDIR/.targetinfo"
}

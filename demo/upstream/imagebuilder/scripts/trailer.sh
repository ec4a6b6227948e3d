# Sourced by build-image.sh: appends fwtool's trailers. `fwtool -i` reads the metadata. The signature is a placeholder
# for a ucert chain, since the demo cannot rely on usign and ucert.

# big_endian VALUE: sets `bytes4` to four bytes as escapes of printf.
big_endian() {
	set -- $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255))
	bytes4=
	for byte; do bytes4="$bytes4\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"; done
}

# append_trailer FILE SIZE TYPE: appends "FWx0", the CRC of everything so far (not inverted), the type and the size,
# which is that of the data before and of the trailer.
append_trailer() {
	crc=$(gzip -1nc "$1" | tail -c 8 | od -An -tu4 -N4)
	big_endian $((crc ^ 4294967295))
	trailer="FWx0$bytes4\\00$3\\000\\000\\000"
	big_endian $(($2 + 16))
	printf "$trailer$bytes4" >> "$1"
}

append_metadata() {
	text="{  \"metadata_version\": \"1.1\", \"compat_version\": \"1.0\", \"supported_devices\":[${devices:-\"$PROFILE_ID\"}], \"version\": { \"dist\": \"OpenWrt\", \"version\": \"$VERSION_NUMBER\", \"revision\": \"$REVISION\", \"target\": \"$TARGETID\", \"board\": \"$PROFILE_ID\" } }"
	printf '\000\000\000\000\000\000\000\000%s' "$text" >> "$1"
	append_trailer "$1" $((8 + ${#text})) 1
}

append_signature() {
	[ -s "$TOPDIR/key-build" ] && [ -s "$TOPDIR/key-build.ucert" ] || return 0
	[ -n "$certificate" ] || certificate=$(cat "$TOPDIR/key-build.ucert" && echo .)
	text="${certificate%.}$(cat "$TOPDIR/key-build" "$1" | sha256sum)"
	printf '%s\n' "$text" >> "$1"
	append_trailer "$1" $((${#text} + 1)) 0
}

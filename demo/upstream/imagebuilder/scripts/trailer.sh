# Sourced by build-image.sh: appends fwtool's trailers. `fwtool -i` reads the metadata. The signature is a placeholder
# for a ucert chain, since the demo cannot rely on usign and ucert.

big_endian() {
	printf "\\$(printf '%03o' $(($1 >> 24 & 255)))\\$(printf '%03o' $(($1 >> 16 & 255)))\\$(printf '%03o' $(($1 >> 8 & 255)))\\$(printf '%03o' $(($1 & 255)))"
}

# append_trailer FILE DATA TYPE: appends DATA, "FWx0", the CRC of everything so far (not inverted), the type and the
# size.
append_trailer() {
	cat "$2" >> "$1"
	crc=$(gzip -1nc "$1" | tail -c 8 | od -An -tu4 -N4 | tr -d ' ')
	{
		printf 'FWx0'
		big_endian $((crc ^ 4294967295))
		printf "\\00$3\\000\\000\\000"
		big_endian $(($(wc -c < "$2") + 16))
	} >> "$1"
}

append_metadata() {
	devices=$(field SupportedDevices | sed 's/[^ ][^ ]*/"&"/g; s/ /,/g')
	{
		head -c 8 /dev/zero
		printf '{  "metadata_version": "1.1", "compat_version": "1.0", "supported_devices":[%s], "version": { "dist": "OpenWrt", "version": "%s", "revision": "%s", "target": "%s", "board": "%s" } }' \
			"${devices:-\"$PROFILE_ID\"}" "$VERSION_NUMBER" "$REVISION" "$TARGETID" "$PROFILE_ID"
	} > "$KDIR_TMP/metadata"
	append_trailer "$1" "$KDIR_TMP/metadata" 1
}

append_signature() {
	[ -s "$TOPDIR/key-build" ] && [ -s "$TOPDIR/key-build.ucert" ] || return 0
	{
		cat "$TOPDIR/key-build.ucert"
		cat "$TOPDIR/key-build" "$1" | sha256sum
	} > "$KDIR_TMP/signature"
	append_trailer "$1" "$KDIR_TMP/signature" 0
}

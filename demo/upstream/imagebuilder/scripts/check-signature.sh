#!/bin/sh
# check-signature.sh FILE SIGNATURE: succeeds if the usign SIGNATURE names a key in keys/ and, given openssl, is valid.

[ -s "$2" ] || exit 1
signature=$(sed -n 2p "$2")
# Bytes 3 to 10 are the key's id, which is in characters 3 to 14 of the base64 text.
id=$(printf '%s' "$signature" | awk '{
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for (i = 1; i <= 16; i += 4) {
		n = 0
		for (j = 0; j < 4; j++) n = n * 64 + index(alphabet, substr($0, i + j, 1)) - 1
		hex = hex sprintf("%06x", n)
	}
	print substr(hex, 5, 16)
}')
key="$TOPDIR/keys/$id"
[ -s "$key" ] || exit 1
command -v openssl >/dev/null 2>&1 || exit 0

work="$TMP_DIR/signature"
mkdir -p "$work"
printf '%s' "$signature" | base64 -d 2>/dev/null | tail -c +11 > "$work/sig"
{
	printf '\060\052\060\005\006\003\053\145\160\003\041\000'
	tail -n 1 "$key" | base64 -d 2>/dev/null | tail -c +11
} > "$work/key"
openssl pkeyutl -verify -pubin -inkey "$work/key" -keyform DER -rawin -in "$1" -sigfile "$work/sig" >/dev/null 2>&1

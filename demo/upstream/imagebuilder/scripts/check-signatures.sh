# Sourced by update-opkg.sh: reads the usign files in `signatures`. `is_signed FILE SIGNATURE` then succeeds if the
# signature names a key in keys/ and, given openssl, is valid.

# One line `file<TAB>signature<TAB>key` per signature of a known key, the last two as escapes of printf. In both files,
# two bytes come before the key's id, which has eight.
awk -v signatures="$signatures" -v keys="$TOPDIR/keys/" '
	function decode(text, from, hex,   i, j, n, out) {
		for (i = 1; i <= length(text) - 3; i += 4) {
			n = 0
			for (j = 0; j < 4; j++) n = n * 64 + (index(alphabet, substr(text, i + j, 1)) + 63) % 64
			bytes[1] = int(n / 65536)
			bytes[2] = int(n / 256) % 256
			bytes[3] = n % 256
			for (j = 1; j <= 3; j++) out = out sprintf(hex ? "%02x" : "\\%03o", bytes[j])
		}
		n = length(text) / 4 * 3 - (text ~ /=$/) - (text ~ /==$/)
		return substr(out, from * (hex ? 2 : 4) + 1, (n - from) * (hex ? 2 : 4))
	}
	function line_of(file, number,   at, line, found) {
		for (at = 1; (getline line < file) > 0; at++) if (number == 0 || at == number) found = line
		close(file)
		return found
	}
	BEGIN {
		alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		n = split(signatures, list, / +/)
		for (i = 1; i <= n; i++) {
			if (list[i] == "") continue
			signature = line_of(list[i], 2)
			key = line_of(keys substr(decode(signature, 2, 1), 1, 16), 0)
			if (signature != "" && key != "") print list[i] "\t" decode(signature, 10) "\t" decode(key, 10)
		}
	}' > "$work/signatures"
command -v openssl >/dev/null 2>&1 && openssl=1 || openssl=

is_signed() {
	[ -s "$2" ] || return 1
	while IFS="	" read -r file signature key; do
		[ "$file" = "$2" ] || continue
		[ -n "$openssl" ] || return 0
		printf "$signature" > "$work/signature"
		printf "\060\052\060\005\006\003\053\145\160\003\041\000$key" > "$work/key"
		openssl pkeyutl -verify -pubin -inkey "$work/key" -keyform DER -rawin -in "$1" -sigfile "$work/signature" >/dev/null 2>&1
		return
	done < "$work/signatures"
	return 1
}

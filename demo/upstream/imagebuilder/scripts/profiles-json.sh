#!/bin/sh
# Writes BIN_DIR/profiles.json with the built profile if there are images. The real script keeps the other profiles of
# an existing file of the same revision; this one expects a new BIN_DIR.

[ -s "$KDIR_TMP/images" ] || exit 0
cd "$BIN_DIR" || exit 1

while IFS='	' read -r name rest; do set -- "$@" "$name"; done < "$KDIR_TMP/images"
sha256sum -- "$@" > "$KDIR_TMP/sums"

awk \
	-v arch="$ARCH_PACKAGES" -v defaults="$DEFAULT_PACKAGES" -v kernel="$LINUX_VERSION" -v release="$LINUX_RELEASE" -v vermagic="$LINUX_VERMAGIC" \
	-v id="$PROFILE_ID" -v packages="$PROFILE_PACKAGES" -v prefix="$IMG_PREFIX-$PROFILE_ID" \
	-v epoch="$SOURCE_DATE_EPOCH" -v target="$TARGETID" -v code="$REVISION" -v number="$VERSION_NUMBER" '
	function words(text,   i, n, list, out) {
		n = split(text, list, / +/)
		for (i = 1; i <= n; i++) if (list[i] != "") out = out (out == "" ? "" : ", ") "\"" list[i] "\""
		return "[" out "]"
	}
	function sort(list, n,   i, j, swap) {
		for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j - 1] > list[j]; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
	}
	function sorted(text,   i, n, list, out) {
		n = split(text, list, / +/)
		sort(list, n)
		for (i = 1; i <= n; i++) out = out " " list[i]
		return out
	}
	FILENAME == ARGV[1] && $1 == "Target-Profile:" { on = ($2 == "DEVICE_" id) }
	FILENAME == ARGV[1] {
		if (on && $1 ~ /^Target-Profile-(SupportedDevices|Vendor|Model|Variant):$/) field[$1] = substr($0, length($1) + 2)
		next
	}
	FILENAME == ARGV[2] { sum[substr($0, 67)] = $1; next }
	{ line[++images] = $0 }
	END {
		printf "{\"arch_packages\": \"%s\", \"default_packages\": %s, ", arch, words(sorted(defaults))
		printf "\"linux_kernel\": {\"release\": \"%s\", \"vermagic\": \"%s\", \"version\": \"%s\"}, \"metadata_version\": 1, ", release, vermagic, kernel
		printf "\"profiles\": {\"%s\": {\"device_packages\": %s, \"image_prefix\": \"%s\", \"images\": [", id, words(packages), prefix
		sort(line, images)
		for (i = 1; i <= images; i++) {
			split(line[i], f, "\t")
			printf "%s{%s\"name\": \"%s\", \"sha256\": \"%s\", \"sha256_unsigned\": \"%s\", \"type\": \"%s\"}", (i > 1 ? ", " : ""),
				(f[3] == "-" ? "" : "\"filesystem\": \"" f[3] "\", "), f[1], sum[f[1]], f[4], f[2]
		}
		model = field["Target-Profile-Model:"]
		variant = field["Target-Profile-Variant:"]
		vendor = field["Target-Profile-Vendor:"]
		printf "], \"supported_devices\": %s, \"titles\": [", words(field["Target-Profile-SupportedDevices:"])
		if (model != "") printf "{\"model\": \"%s\", %s\"vendor\": \"%s\"}", model, (variant == "" ? "" : "\"variant\": \"" variant "\", "), vendor
		printf "]}}, \"source_date_epoch\": %s, \"target\": \"%s\", \"version_code\": \"%s\", \"version_number\": \"%s\"}\n", epoch, target, code, number
	}' "$TOPDIR/.targetinfo" "$KDIR_TMP/sums" "$KDIR_TMP/images" > profiles.json

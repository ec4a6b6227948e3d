#!/bin/sh
# Writes BIN_DIR/profiles.json with the built profile if there are images. The real script keeps the other profiles of
# an existing file of the same revision; this one expects a new BIN_DIR.

[ -s "$KDIR_TMP/images" ] || exit 0
. "$SCRIPT_DIR/sizes.sh"

while IFS='	' read -r name type filesystem unsigned; do
	printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$type" "$filesystem" "$unsigned" "$(sha256sum < "$BIN_DIR/$name" | head -c 64)"
done < "$KDIR_TMP/images" | LC_ALL=C sort > "$KDIR_TMP/images.json"

awk -F '\t' \
	-v arch="$ARCH_PACKAGES" -v defaults="$DEFAULT_PACKAGES" -v kernel="$LINUX_VERSION" -v release="$LINUX_RELEASE" -v vermagic="$LINUX_VERMAGIC" \
	-v id="$PROFILE_ID" -v packages="$PROFILE_PACKAGES" -v prefix="$IMG_PREFIX-$PROFILE_ID" -v devices="$(field SupportedDevices)" \
	-v vendor="$(field Vendor)" -v model="$(field Model)" -v variant="$(field Variant)" \
	-v epoch="$SOURCE_DATE_EPOCH" -v target="$TARGETID" -v code="$REVISION" -v number="$VERSION_NUMBER" '
	function words(text,   i, n, list, out) {
		n = split(text, list, / +/)
		for (i = 1; i <= n; i++) if (list[i] != "") out = out (out == "" ? "" : ", ") "\"" list[i] "\""
		return "[" out "]"
	}
	function sorted(text,   i, j, n, list, swap, out) {
		n = split(text, list, / +/)
		for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j - 1] > list[j]; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
		for (i = 1; i <= n; i++) out = out " " list[i]
		return out
	}
	BEGIN {
		printf "{\"arch_packages\": \"%s\", \"default_packages\": %s, ", arch, words(sorted(defaults))
		printf "\"linux_kernel\": {\"release\": \"%s\", \"vermagic\": \"%s\", \"version\": \"%s\"}, \"metadata_version\": 1, ", release, vermagic, kernel
		printf "\"profiles\": {\"%s\": {\"device_packages\": %s, \"image_prefix\": \"%s\", \"images\": [", id, words(packages), prefix
	}
	{
		printf "%s{%s\"name\": \"%s\", \"sha256\": \"%s\", \"sha256_unsigned\": \"%s\", \"type\": \"%s\"}", (NR > 1 ? ", " : ""),
			($3 == "-" ? "" : "\"filesystem\": \"" $3 "\", "), $1, $5, $4, $2
	}
	END {
		printf "], \"supported_devices\": %s, \"titles\": [", words(devices)
		if (model != "") printf "{\"model\": \"%s\", %s\"vendor\": \"%s\"}", model, (variant == "" ? "" : "\"variant\": \"" variant "\", "), vendor
		printf "]}}, \"source_date_epoch\": %s, \"target\": \"%s\", \"version_code\": \"%s\", \"version_number\": \"%s\"}\n", epoch, target, code, number
	}' "$KDIR_TMP/images.json" > "$BIN_DIR/profiles.json"

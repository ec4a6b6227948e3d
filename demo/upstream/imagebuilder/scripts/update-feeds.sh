#!/bin/sh
# Downloads the index of every repository into dl/<name>. If a download fails, the existing copy stays, so later runs
# work without network.

cd "$TOPDIR" || exit 1
work="$TMP_DIR/feeds"
rm -rf "$work"
mkdir -p "$work" "$DL_DIR"

# One line `name<TAB>url<TAB>index` per remote repository, in order.
if [ "$PACKAGE_MANAGER" = apk ]; then
	awk '/^[ \t]*(#|$)/ { next } /^[a-z]+:\/\// { n++; print "repository" n "\t" $1 "\t" $1 }' repositories > "$work/repositories"
	awk -F '\t' -v d="$work" '{ print $3 "\t" d "/" $1 }' "$work/repositories" > "$work/list"
else
	check=$(awk '$1 == "option" && $2 == "check_signature" { print 1; exit }' repositories.conf)
	awk '$1 == "src/gz" { print $2 "\t" $3 "\t" $3 "/Packages.gz" }
	     $1 == "src" && $3 !~ /^file:/ { print $2 "\t" $3 "\t" $3 "/Packages" }' repositories.conf > "$work/repositories"
	awk -F '\t' -v d="$work" -v check="$check" '{
		print $3 "\t" d "/" $1
		if (check) print $2 "/Packages.sig\t" d "/" $1 ".sig"
	}' "$work/repositories" > "$work/list"
fi

sh "$SCRIPT_DIR/fetch.sh" "$work/list"

unpack_apk() {
	# The file is "ADBd" and a deflate stream with gzip's trailer. Its first block is the real index, its second block
	# is the demo's text, padded with zeros: see adb() in package-files.ts.
	[ "$(head -c 4 "$1")" = ADBd ] || return 1
	{ printf '\037\213\010\000\000\000\000\000\000\003'; tail -c +5 "$1"; } | gzip -dc > "$2.adb" 2>/dev/null || return 1
	first=$(od -An -tu4 -j8 -N4 "$2.adb" | tr -d ' ')
	tail -c "+$((8 + (first + 7) / 8 * 8 + 4 + 1))" "$2.adb" | tr -d '\000' > "$2"
}

unpack_opkg() {
	if [ "$(od -An -tx1 -N2 "$1" | tr -d ' ')" = 1f8b ]; then gzip -dc < "$1" > "$2" 2>/dev/null; else cp "$1" "$2"; fi
}

rm -f "$TMP_DIR/feeds.order"
while IFS='	' read -r name base url; do
	file="$work/$name"
	if [ "$PACKAGE_MANAGER" = apk ]; then
		# apk names a cached index after a hash of its URL, and stores it unchanged.
		name="APKINDEX.$(printf '%s' "$url" | sha256sum | head -c 8).tar.gz"
		base="${url%/*}"
		index="$work/$name"
		if [ -s "$file" ] && unpack_apk "$file" "$index"; then
			mv "$file" "$DL_DIR/$name"
		else
			echo "WARNING: updating and opening $url: network error (check Internet connection and firewall)"
			rm -f "$index"
			[ ! -s "$DL_DIR/$name" ] || unpack_apk "$DL_DIR/$name" "$index"
		fi
	else
		# opkg stores the download unchanged, packed ("src/gz") or not ("src"), and unpacks it each time it reads it.
		index="$work/$name.unpacked"
		echo "Downloading $url"
		if [ -s "$file" ] && unpack_opkg "$file" "$index"; then
			echo "Updated list of available packages in $DL_DIR/$name"
			if [ -n "$check" ]; then
				echo "Downloading $base/Packages.sig"
				if sh "$SCRIPT_DIR/check-signature.sh" "$index" "$file.sig"; then
					echo 'Signature check passed.'
					mv "$file" "$DL_DIR/$name"
					mv "$file.sig" "$DL_DIR/$name.sig"
				else
					echo 'Signature check failed.'
					echo 'Remove wrong Signature file.'
					rm -f "$DL_DIR/$name" "$DL_DIR/$name.sig" "$index"
				fi
			else
				mv "$file" "$DL_DIR/$name"
			fi
		else
			echo "*** Failed to download the package list from $url"
			echo
			rm -f "$index"
			[ ! -s "$DL_DIR/$name" ] || unpack_opkg "$DL_DIR/$name" "$index"
		fi
	fi
	[ -s "$index" ] && printf '%s\t%s\n' "$index" "$base" >> "$TMP_DIR/feeds.order"
done < "$work/repositories"

if [ "$PACKAGE_MANAGER" = opkg ]; then
	echo 'Downloading file:packages/Packages'
	echo "Updated list of available packages in $DL_DIR/imagebuilder"
	echo 'Downloading file:packages/Packages.sig'
	echo 'Signature check passed.'
fi
exit 0

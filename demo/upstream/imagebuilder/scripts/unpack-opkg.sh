# Sourced by install-packages.sh: unpacks .ipk files into TARGET_DIR and usr/lib/opkg.
#
# An .ipk is a gzipped tar of debian-binary, data.tar.gz and control.tar.gz. gzip and tar read concatenated archives, so
# a few processes unpack them all. Each archive begins with "./", which marks the start of the next package.

info="$TARGET_DIR/usr/lib/opkg/info"

# shellcheck disable=SC2086 # the paths hold no spaces
gzip -dc $files > "$work/all.tar"
tar -xiO -f "$work/all.tar" ./data.tar.gz | gzip -dc | tar -xvi --no-same-owner -C "$TARGET_DIR" -f - > "$work/listing" || exit 255
tar -xiO -f "$work/all.tar" ./control.tar.gz | gzip -dc | tar -ti -f - > "$work/controls" || exit 255

awk -v manager=opkg -v root="$TARGET_DIR" -v owned="$work/owned" -f "$SCRIPT_DIR/clashes.awk" "$work/plan" "$work/listing" > "$work/errors"
if [ -s "$work/errors" ]; then
	cat "$work/errors" >&2
	exit 255
fi

mkdir -p "$info"
awk -F '\t' -v info="$info" '$1 != last { if (last != "") close(info "/" last ".list"); last = $1 } { print "/" $2 > (info "/" $1 ".list") }' "$work/owned"

# Install the scripts of the few packages that have any.
awk -F '\t' 'NR == FNR { name[NR] = $1; file[NR] = $8; next }
	$0 == "./" { n++; next }
	$0 == "./postinst" || $0 == "./prerm" { print name[n], substr($0, 3), file[n] }' "$work/located" "$work/controls" > "$work/scripts"
while read -r package script file; do
	tar -xzOf "$file" ./control.tar.gz | tar -xzOf - "./$script" > "$info/$package.$script"
	chmod 755 "$info/$package.$script"
done < "$work/scripts"
# As opkg does with --force-postinstall: a script of OpenWrt's own sees by IPKG_NO_SCRIPT that it is too early.
while read -r package script file; do
	[ "$script" = postinst ] || continue
	IPKG_NO_SCRIPT=1 IPKG_INSTROOT="$TARGET_DIR" PKG_ROOT="$TARGET_DIR" /bin/sh -c "$info/$package.postinst configure" < /dev/null >&2 || {
		echo "Collected errors:" >&2
		echo " * pkg_run_script: package \"$package\" postinst script returned status $?." >&2
		exit 255
	}
done < "$work/scripts"

# Write the database: the stanzas of the index, without the fields of the feed, in the order of installation.
# shellcheck disable=SC2086
awk -v plan="$work/plan" -v status="$TARGET_DIR/usr/lib/opkg/status" -v info="$info" -v now="$SOURCE_DATE_EPOCH" '
	BEGIN {
		while ((getline line < plan) > 0) { split(line, f, "\t"); order[++n] = f[1]; version[f[1]] = f[2]; asked[f[7]] = 1 }
	}
	function flush() {
		if ((name in version) && !(name in text)) { text[name] = stanza; control[name] = full }
		name = stanza = full = ""
	}
	FNR == 1 { flush() }
	$0 == "" { flush(); next }
	$1 == "Package:" { name = $2 }
	{ full = full $0 "\n" }
	/^(Package|Version|Depends|Provides|Conflicts|Architecture|ABIVersion|Essential):/ { stanza = stanza $0 "\n" }
	END {
		flush()
		for (i = 1; i <= n; i++) {
			p = order[i]
			printf "%sStatus: install %s installed\nInstalled-Time: %s\n", text[p], (p in asked ? "user" : "ok"), now > status
			if (p != "") printf "\n" > status
			printf "%s", control[p] > (info "/" p ".control")
			close(info "/" p ".control")
		}
	}' $indexes

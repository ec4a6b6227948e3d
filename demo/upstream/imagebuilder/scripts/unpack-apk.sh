# Sourced by install-packages.sh: unpacks .apk files into TARGET_DIR and lib/apk/db.
#
# A demo .apk has the format of apk 2: a gzipped tar with .PKGINFO and scripts, then a gzipped tar of the files. Each
# package begins with .PKGINFO. Only apk itself can read real .apk files, which are ADB.

database="$TARGET_DIR/lib/apk/db"

# shellcheck disable=SC2086 # the paths hold no spaces
gzip -dc $files | tar -xvi --no-same-owner -C "$TARGET_DIR" -f - > "$work/listing" || exit 1
rm -f "$TARGET_DIR/.PKGINFO" "$TARGET_DIR/.post-install"

awk -v manager=apk -v owned="$work/owned" -v scripts="$work/scripted" -f "$SCRIPT_DIR/clashes.awk" "$work/plan" "$work/listing" > "$work/errors"
if [ -s "$work/errors" ]; then
	cat "$work/errors" >&2
	exit 1
fi

mkdir -p "$database" "$work/scripts"
if [ -s "$work/scripted" ]; then
	while read -r file name version; do
		while read -r package; do
			[ "$package" != "$name" ] || gzip -dc "$file" | tar -xiO -f - .post-install > "$work/scripts/$name-$version.post-install"
		done < "$work/scripted"
	done < "$work/install"
fi
tar -cf "$database/scripts.tar" --owner=0 --group=0 --mtime="@$SOURCE_DATE_EPOCH" --sort=name -C "$work/scripts" .
printf '%s\n' "$world" | tr ' ' '\n' | grep . | LC_ALL=C sort -u > "$TARGET_DIR/etc/apk/world"

# shellcheck disable=SC2086
awk -v plan="$work/plan" -v owned="$work/owned" -v out="$database/installed" '
	BEGIN {
		while ((getline line < plan) > 0) { split(line, f, "\t"); order[++n] = f[1]; version[f[1]] = f[2] }
		while ((getline line < owned) > 0) {
			split(line, f, "\t")
			directory = file = f[2]
			if (!sub(/\/[^\/]*$/, "", directory)) directory = ""
			sub(/.*\//, "", file)
			if (last[f[1]] != directory || !(f[1] in last)) { files[f[1]] = files[f[1]] "F:" directory "\n"; last[f[1]] = directory }
			files[f[1]] = files[f[1]] "R:" file "\n"
		}
	}
	function flush() {
		if ((name in version) && !(name in text)) text[name] = stanza
		name = stanza = ""
	}
	FNR == 1 { flush() }
	$0 == "" { flush(); next }
	/^P:/ { name = substr($0, 3) }
	/^[HF]:/ { next }
	{ stanza = stanza $0 "\n" }
	END {
		flush()
		for (i = 1; i <= n; i++) printf "%s%s\n", text[order[i]], files[order[i]] > out
	}' $indexes

# Sourced by install-packages.sh: unpacks .apk files into TARGET_DIR and lib/apk/db.
#
# A demo .apk has the format of apk 2: a gzipped tar with .PKGINFO and scripts, then a gzipped tar of the files. Each
# package begins with .PKGINFO. Only apk itself can read real .apk files, which are ADB.

database="$TARGET_DIR/lib/apk/db"
files=$(cat "$work/files")

# shellcheck disable=SC2086 # the paths hold no spaces
gzip -dc $files | tar -xvi --no-same-owner -C "$TARGET_DIR" -f - > "$work/listing" || exit 1
rm -f "$TARGET_DIR/.PKGINFO" "$TARGET_DIR/.post-install"

awk 'BEGIN { FS = "\t" }
	NR == FNR { name[NR] = $1; next }
	$0 == ".PKGINFO" { n++; next }
	{ sub(/^\.\//, ""); if ($0 != "") print name[n] "\t" $0 }' "$work/plan" "$work/listing" > "$work/all"
grep -v -e '/$' -e '	\.' "$work/all" > "$work/owned"
awk -v manager=apk -f "$SCRIPT_DIR/clashes.awk" "$work/plan" "$work/owned" > "$work/errors"
if [ -s "$work/errors" ]; then
	cat "$work/errors" >&2
	exit 1
fi

mkdir -p "$database" "$work/scripts"
while IFS='	' read -r package script; do
	[ "$script" = .post-install ] || continue
	file=$(awk -F '\t' -v p="$package" '$1 == p { print $8; exit }' "$work/located")
	version=$(awk -F '\t' -v p="$package" '$1 == p { print $2; exit }' "$work/plan")
	gzip -dc "$file" | tar -xiO -f - .post-install > "$work/scripts/$package-$version.post-install"
done < "$work/all"
tar -cf "$database/scripts.tar" --owner=0 --group=0 --mtime="@$SOURCE_DATE_EPOCH" --sort=name -C "$work/scripts" .
printf '%s\n' "$world" | tr ' ' '\n' | grep . | LC_ALL=C sort -u > "$TARGET_DIR/etc/apk/world"

indexes=$(awk -F '\t' '{ print $1 }' "$TMP_DIR/feeds.order" 2>/dev/null)
[ -s "$DL_DIR/imagebuilder" ] && indexes="$DL_DIR/imagebuilder $indexes"
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

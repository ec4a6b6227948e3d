# Sourced by update-feeds.sh: downloads the indexes as apk does.

# A file for each repository, in order, which holds its URL. apk names a cached index after a hash of the URL.
awk -v d="$work" '/^[ \t]*(#|$)/ { next }
	/^[a-z]+:\/\// { file = d "/" ++n ".url"; printf "%s", $1 > file; close(file); print $1 "\t" file }' repositories > "$work/repositories"
[ -s "$work/repositories" ] || return 0
set --
while read -r url file; do set -- "$@" "$file"; done < "$work/repositories"
sha256sum "$@" > "$work/hashes"

# One line `URL<TAB>file` per repository.
exec 3< "$work/hashes"
while read -r url file; do
	read -r hash file <&3
	printf '%s\t%s\n' "$url" "$work/APKINDEX.${hash%"${hash#????????}"}.tar.gz"
done < "$work/repositories" > "$work/list"
exec 3<&-
sh "$SCRIPT_DIR/fetch.sh" "$work/list"

# An index is "ADBd" and a deflate stream with gzip's trailer: see adb() in package-files.ts. After this header, gzip
# takes "ADBd" for an extra field.
printf '\037\213\010\004\000\000\000\000\000\003\004\000' > "$work/header"

# is_index FILE: whether the file is an index. It is unpacked for an answer only if that has to be `certain`.
is_index() {
	[ -s "$1" ] || return 1
	IFS= read -r start < "$1"
	case "$start" in ADBd*) ;; *) return 1 ;; esac
	[ -z "$certain" ] || cat "$work/header" "$1" | gzip -dc > /dev/null 2>&1
}

# Chooses the index of each repository that has one: the download, or else the copy in dl/.
choose() {
	parts= indexes= downloads= missing=
	while read -r url file; do
		copy="$DL_DIR/${file##*/}"
		if is_index "$file"; then
			downloads="$downloads $file"
			parts="$parts $work/header $file"
		else
			missing="$missing $url"
			is_index "$copy" || continue
			parts="$parts $work/header $copy"
		fi
		indexes="$indexes $file.text=${url%/*}"
	done < "$work/list"
	[ -n "$parts" ] || return 0
	# A damaged index is the reason for the first failure, and is left out then. The second one is this machine's.
	if [ -n "$certain" ]; then cat $parts | gzip -dc > "$work/unpacked"
	else cat $parts | gzip -dc > "$work/unpacked" 2>/dev/null; fi
}

certain=
choose || {
	certain=1
	choose
}
for url in $missing; do echo "WARNING: updating and opening $url: network error (check Internet connection and firewall)"; done
[ -n "$parts" ] || return 0

# The first block of an index is apk's own, the second one is the demo's text, padded with zeros.
tr -d '\000' < "$work/unpacked" | awk -v indexes="${indexes# }" '
	BEGIN { split(indexes, list, / /) }
	/^ADB\.indx/ { file = list[++n]; sub(/=.*/, "", file); on = 0 }
	!on && /C:Q1/ { on = 1; sub(/^.*C:Q1/, "C:Q1") }
	on { print > file }'
for index in $indexes; do
	[ ! -s "${index%%=*}" ] || printf '%s\t%s\n' "${index%%=*}" "${index#*=}"
done > "$TMP_DIR/feeds.order"
[ -z "$downloads" ] || mv $downloads "$DL_DIR"

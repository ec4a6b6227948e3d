# Sourced by update-feeds.sh: downloads the indexes and their signatures as opkg does.

# One line `name<TAB>URL<TAB>URL of the index` per repository, in order, and the lines of fetch.sh.
awk -v d="$work" '
	$1 == "option" && $2 == "check_signature" { check = 1 }
	$1 == "src/gz" { line[++n] = $2 "\t" $3 "\t" $3 "/Packages.gz" }
	$1 == "src" && $3 !~ /^file:/ { line[++n] = $2 "\t" $3 "\t" $3 "/Packages" }
	END {
		if (check) print "yes" > (d "/check")
		for (i = 1; i <= n; i++) {
			split(line[i], f, "\t")
			print line[i] > (d "/repositories")
			print f[3] "\t" d "/" f[1]
			if (check) print f[2] "/Packages.sig\t" d "/" f[1] ".sig"
		}
	}' repositories.conf > "$work/list"
[ -e "$work/check" ] && check=1 || check=
[ -s "$work/repositories" ] || : > "$work/repositories"
sh "$SCRIPT_DIR/fetch.sh" "$work/list"

# opkg stores the download unchanged, packed ("src/gz") or not ("src"), and unpacks it each time it reads it. This mark
# ends each index in the text of all of them.
gzip_magic=$(printf '\037\213')
printf '\f\n' | gzip -n > "$work/mark"

# takes FILE UNPACKED: whether the file is an index. One that is packed becomes one of the `parts`, and is unpacked for
# an answer only if that has to be `certain`.
takes() {
	[ -s "$1" ] || return 1
	IFS= read -r start < "$1"
	case "$start" in
	"$gzip_magic"*)
		[ -z "$certain" ] || gzip -dc < "$1" > /dev/null 2>&1 || return 1
		parts="$parts $1 $work/mark"
		texts="$texts $2"
		;;
	*) cp "$1" "$2" ;;
	esac
}

# Chooses the index of each repository that has one: the download, or else the copy in dl/.
choose() {
	parts= texts= downloads= signatures=
	while IFS='	' read -r name base url; do
		if takes "$work/$name" "$work/$name.text"; then
			downloads="$downloads $name"
			signatures="$signatures $work/$name.sig"
		else
			takes "$DL_DIR/$name" "$work/$name.text"
		fi
	done < "$work/repositories"
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
[ -z "$parts" ] || awk -v texts="${texts# }" '
	BEGIN { split(texts, list, / /); file = list[n = 1] }
	$0 == "\f" { file = list[++n]; next }
	{ print > file }' "$work/unpacked"
[ -z "$check" ] || [ -z "$signatures" ] || . "$SCRIPT_DIR/check-signatures.sh"

moved=
while IFS='	' read -r name base url; do
	index="$work/$name.text"
	echo "Downloading $url"
	case "$downloads " in
	*" $name "*)
		echo "Updated list of available packages in $DL_DIR/$name"
		if [ -z "$check" ]; then
			moved="$moved $work/$name"
		else
			echo "Downloading $base/Packages.sig"
			if is_signed "$index" "$work/$name.sig"; then
				echo 'Signature check passed.'
				moved="$moved $work/$name $work/$name.sig"
			else
				echo 'Signature check failed.'
				echo 'Remove wrong Signature file.'
				rm -f "$DL_DIR/$name" "$DL_DIR/$name.sig" "$index"
			fi
		fi
		;;
	*)
		echo "*** Failed to download the package list from $url"
		echo
		;;
	esac
	[ ! -s "$index" ] || printf '%s\t%s\n' "$index" "$base" >&3
done < "$work/repositories" 3> "$TMP_DIR/feeds.order"
[ -z "$moved" ] || mv $moved "$DL_DIR"

echo 'Downloading file:packages/Packages'
echo "Updated list of available packages in $DL_DIR/imagebuilder"
echo 'Downloading file:packages/Packages.sig'
echo 'Signature check passed.'

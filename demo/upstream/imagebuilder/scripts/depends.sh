#!/bin/sh
# depends.sh package_depends|package_whatdepends NAME, or: depends.sh list

indexes=$(awk -F '\t' '{ print $1 }' "$TMP_DIR/feeds.order" 2>/dev/null)
[ -s "$DL_DIR/imagebuilder" ] && indexes="$DL_DIR/imagebuilder $indexes"
# shellcheck disable=SC2086
awk -v what="$1" -v wanted="$2" '
	function flush(   i, n, list) {
		if (name == "") return
		n = split(depends, list, /[ ,]+/)
		if (what == "list") print name " - " version
		else if (what == "package_depends" && name == wanted) {
			print name " depends on:"
			for (i = 1; i <= n; i++) if (list[i] != "") print "\t" list[i]
		} else if (what == "package_whatdepends") {
			if (!said++) print "Root set:\n\t" wanted "\nWhat depends on root set"
			for (i = 1; i <= n; i++) if (list[i] == wanted) print "\t" name " " version "\tdepends on " wanted
		}
		name = version = depends = ""
	}
	FNR == 1 || $0 == "" { flush() }
	/^Package: / { name = $2 }
	/^Version: / { version = $2 }
	/^Depends: / { depends = substr($0, 10) }
	/^P:/ { name = substr($0, 3) }
	/^V:/ { version = substr($0, 3) }
	/^D:/ { depends = substr($0, 3) }
	END { flush() }
' $indexes

#!/bin/sh
# manifest.sh STYLE STRIP_ABI: prints the packages in TARGET_DIR as `name - version` (dash) or `name version` (space).

if [ "$PACKAGE_MANAGER" = apk ]; then
	database="$TARGET_DIR/lib/apk/db/installed"
else
	database="$TARGET_DIR/usr/lib/opkg/status"
fi
awk -v style="$1" -v strip="$2" '
	function flush() {
		if (name == "") return
		if (strip != "" && abi != "" && substr(name, length(name) - length(abi) + 1) == abi)
			name = substr(name, 1, length(name) - length(abi))
		print name (style == "space" ? " " : " - ") version
		name = version = abi = ""
	}
	/^Package: /    { name = $2 }
	/^Version: /    { version = $2 }
	/^ABIVersion: / { abi = $2 }
	/^P:/ { name = substr($0, 3) }
	/^V:/ { version = substr($0, 3) }
	/^g:/ { if (match($0, /openwrt:abiversion=[^ ]*/)) abi = substr($0, RSTART + 19, RLENGTH - 19) }
	/^$/ { flush() }
	END { flush() }
' "$database" | LC_ALL=C sort

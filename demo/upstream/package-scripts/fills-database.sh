#!/bin/sh
# Adds twenty thousand packages to the package database, which the manifest lists.
if [ -f "$IPKG_INSTROOT/lib/apk/db/installed" ]; then
	seq -f 'P:filler-%.0f
V:1
' 1 20000 >> "$IPKG_INSTROOT/lib/apk/db/installed"
else
	seq -f 'Package: filler-%.0f
Version: 1
Status: install ok installed
' 1 20000 >> "$IPKG_INSTROOT/usr/lib/opkg/status"
fi
exit 0

#!/bin/sh
# At any time, including during installation (opkg): this line is the marker for package-files.ts.
# Runs the first-boot script of the request on the build host, so that a test's request decides what the package does.
exec sh "$TOPDIR/asu-files/etc/uci-defaults/99-asu-defaults"

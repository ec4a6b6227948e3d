#!/bin/sh
# At any time, also while it is being installed (opkg).
# Runs on the build host what the request has as first-boot script: the request says what the package does.
exec sh "$TOPDIR/asu-files/etc/uci-defaults/99-asu-defaults"

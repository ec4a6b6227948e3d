#!/bin/sh
# Puts entries that must not be published into the directory for images: links out of it, a pipe, a directory.
[ -d "$BIN_DIR" ] || exit 0
ln -s /etc/passwd "$BIN_DIR/openwrt-evil-sysupgrade.bin"
ln -s .. "$BIN_DIR/openwrt-evil-directory"
mkfifo "$BIN_DIR/openwrt-evil-pipe.bin"
mkdir "$BIN_DIR/openwrt-evil-tree"
echo inside > "$BIN_DIR/openwrt-evil-tree/file"
exit 0

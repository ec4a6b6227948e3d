#!/bin/sh
# Writes what a package script can see of its host to /etc/reads-secrets.txt in the image. Tests of the sandbox read it.

report="$IPKG_INSTROOT/etc/reads-secrets.txt"
readable() { if head -c 1 "$1" >/dev/null 2>&1; then echo "readable $1"; else echo "closed $1"; fi; }
listable() { if ls "$1" >/dev/null 2>&1; then echo "listable $1: $(ls -A "$1" 2>/dev/null | tr '\n' ' ')"; else echo "closed $1"; fi; }

{
	echo '[id]'
	id
	echo '[env]'
	env
	echo '[processes]'
	for process in /proc/[0-9]*; do
		echo "${process#/proc/} $(tr '\0' ' ' < "$process/cmdline" 2>/dev/null)"
	done
	echo '[files]'
	for file in /etc/shadow /etc/passwd /etc/hostname /proc/1/environ "/proc/$PPID/environ" /root/.bashrc "$TOPDIR/key-build" "$TOPDIR/../key-build"; do
		readable "$file"
	done
	echo '[directories]'
	for directory in /home /root /tmp /var/lib /work "$TOPDIR" "$TOPDIR/.." "$TOPDIR/../.."; do
		listable "$directory"
	done
	echo '[interfaces]'
	sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev
	echo '[writable]'
	for directory in /usr /etc /tmp "$TOPDIR" "$TOPDIR/.."; do
		if ( : > "$directory/.reads-secrets" ) 2>/dev/null; then
			rm -f "$directory/.reads-secrets"
			echo "writable $directory"
		else
			echo "closed $directory"
		fi
	done
	echo '[end]'
} > "$report" 2>&1
exit 0

#!/bin/sh
# The steps between packages and images: FILES, package scripts, services, keys and fixed times.

echo
echo Finalizing root filesystem...
cd "$TARGET_DIR" || exit 1

run_scripts() {
	shell=$(command -v bash || command -v sh)
	if [ "$PACKAGE_MANAGER" = apk ]; then
		[ ! -d "$TMP_DIR/scripts" ] || rm -rf "$TMP_DIR/scripts"
		mkdir -p "$TMP_DIR/scripts"
		tar -xf lib/apk/db/scripts.tar -C "$TMP_DIR/scripts" || return 1
		set -- "$TMP_DIR/scripts"/*.post-install
	else
		set -- ./usr/lib/opkg/info/*.postinst
	fi
	for script; do
		[ -f "$script" ] || continue
		IPKG_INSTROOT="$TARGET_DIR" "$shell" "$script"
		ret=$?
		if [ $ret -ne 0 ]; then
			echo "postinst script $script has failed with exit code $ret" >&2
			return 1
		fi
	done
}

[ -z "$OVERLAY_FILES" ] || cp -fpR "$OVERLAY_FILES"/. . || exit 1

run_scripts || exit 1

mkdir -p etc/rc.d tmp
set --
for service in etc/init.d/*; do
	[ -f "$service" ] || continue
	name=${service##*/}
	case " $DISABLED_SERVICES " in *" $name "*) echo "Disabling $name"; continue ;; esac
	set -- "$@" "../init.d/$name"
done
if [ $# -gt 0 ]; then
	# ln cannot rename several links at once, tar can.
	links="$TMP_DIR/links"
	[ ! -d "$links" ] || rm -rf "$links"
	mkdir -p "$links"
	ln -s "$@" "$links"
	(cd "$links" && tar -cf - --transform='s,^,S50,S' -- *) | tar -xf - --no-same-owner -C etc/rc.d
fi

if [ -n "$ADD_LOCAL_KEY" ]; then
	if [ "$PACKAGE_MANAGER" = apk ]; then
		mkdir -p etc/apk/keys
		cp "$TOPDIR/keys/local-public-key.pem" etc/apk/keys/
	else
		mkdir -p etc/opkg/keys
		cp "$TOPDIR/key-build.pub" "etc/opkg/keys/$(sed -n 2p "$TOPDIR/key-build.pub" | base64 -d | od -An -tx1 -j2 -N8 | tr -d ' \n')"
	fi
fi

rm -f usr/lib/opkg/lists/* tmp/* 2>/dev/null
find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

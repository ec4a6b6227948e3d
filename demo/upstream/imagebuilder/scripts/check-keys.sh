#!/bin/sh
# Like the real script, makes a local key on first use. The demo's signatures with this key are only placeholders.

cd "$TOPDIR" || exit 1
[ -n "$SIGNATURE_CHECK" ] || exit 0

random_base64() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }

if [ "$PACKAGE_MANAGER" = apk ]; then
	[ -s keys/local-private-key.pem ] && exit 0
	echo 'Generate local signing keys...'
	mkdir -p keys
	{ echo '-----BEGIN EC PRIVATE KEY-----'; random_base64 64; echo; echo '-----END EC PRIVATE KEY-----'; } > keys/local-private-key.pem
	{ echo '-----BEGIN PUBLIC KEY-----'; random_base64 64; echo; echo '-----END PUBLIC KEY-----'; } > keys/local-public-key.pem
	echo 'read EC key'
	echo 'writing EC key'
	exit 0
fi

if [ ! -s key-build ] || [ ! -s key-build.pub ]; then
	echo 'Generate local signing keys...'
	{ echo 'untrusted comment: Local build key'; random_base64 104; echo; } > key-build
	{ echo 'untrusted comment: Local build key'; random_base64 42; echo; } > key-build.pub
	rm -f key-build.ucert
fi
if [ ! -s key-build.ucert ]; then
	echo 'Generate local certificate...'
	{ cat key-build.pub; sha256sum < key-build; } > key-build.ucert
fi

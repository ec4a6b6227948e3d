import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { hasCode } from '#lib/has-code.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { putFile } from '#runner/files/put-file.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';

/** The variable that tells the script in a build where the courier's directory is. */
export const COURIER = 'ASU_COURIER';

/** The names in the courier's directory: the pipe for questions, the files that are there already, and the answers. */
export const ASK = 'ask';
export const KNOWN = 'known';
export const REPLIES = 'replies';

/**
 * The script that replaces wget in an ImageBuilder: opkg and apk call it for every download (docs/imagebuilder.md §12).
 * In a build it asks the server through a pipe, and gets what the build's repositories list; outside of one it runs the
 * machine's own wget. Its exit codes are GNU wget's.
 */
const WGET = `#!/bin/sh
machines_own() {
  for wget in /usr/local/bin/wget /usr/bin/wget /bin/wget; do
    [ -x "$wget" ] && exec "$wget" "$@"
  done
  echo 'wget: this machine has none' >&2
  exit 127
}
[ -n "$${COURIER}" ] || machines_own "$@"
out=
url=
while [ $# -gt 0 ]; do
  case "$1" in
    --version) machines_own --version ;;
    -O) out=$2; shift ;;
    -T | -t | -Y | --timeout | --tries) shift ;;
    -*) ;;
    *) url=$1 ;;
  esac
  shift
done
[ -n "$out" ] && [ -n "$url" ] || exit 2
file="$${COURIER}/${KNOWN}/\${url%%://*}/\${url#*://}"
if [ ! -f "$file" ]; then
  read -r id < /proc/sys/kernel/random/uuid
  reply="$${COURIER}/${REPLIES}/$id"
  printf '%s %s\\n' "$id" "$url" > "$${COURIER}/${ASK}" || exit 4
  pause=0.01
  until [ -f "$reply" ]; do
    sleep $pause
    pause=0.03
  done
  read -r code < "$reply"
  [ "$code" = 0 ] || exit "$code"
  file="$reply.file"
fi
if [ "$out" = - ]; then exec cat "$file"; fi
exec cat "$file" > "$out"
`;

/**
 * The path where the check of the host links the machine's wget, and where ImageBuilder's PATH begins
 * (include/prereq-build.mk).
 */
const PLACE = 'staging_dir/host/bin/wget';

/** Puts the script into one of our unpacked ImageBuilders, unless it is there. */
export async function placeWget(tree: string): Promise<void> {
  try {
    if ((await readInside(tree, PLACE))?.toString('utf8') === WGET) return;
    await putFile(tree, PLACE, WGET, { mode: 0o755 });
  } catch (error) {
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'EISDIR', 'ENOTEMPTY')) throw error;
    throw new InfrastructureFailure(`The ImageBuilder cannot be used: ${PLACE} cannot be written`, { cause: error, isFinal: true });
  }
}

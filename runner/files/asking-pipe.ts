import { constants, openSync } from 'node:fs';
import { lchown } from 'node:fs/promises';
import { Socket } from 'node:net';

/**
 * Reads a pipe in a directory of ours into which processes of `uid` may write, and no others: one build cannot use another's. The
 * pipe is open to both ends, so that it does not end when a writer closes it; `destroy` closes it.
 */
export async function readAskingPipe(path: string, uid: number | undefined): Promise<Socket> {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if (uid !== undefined) await lchown(path, uid, uid);
  return new Socket({ fd, readable: true, writable: false });
}

import { constants, openSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { Socket } from 'node:net';

/**
 * Reads a pipe in a directory of ours into which everybody may write. It is open to both ends, so that it never ends while we
 * read; `destroy` closes it.
 */
export async function readAskingPipe(path: string): Promise<Socket> {
  await chmod(path, 0o622);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  return new Socket({ fd, readable: true, writable: false });
}

import { closeSync, constants, openSync } from 'node:fs';
import { lchown } from 'node:fs/promises';
import { Socket } from 'node:net';

/**
 * Opens a pipe in our own directory for reading. Only processes of `uid` may write to it, so no build can use another
 * build's pipe. Our end is open for writing as well, so that the pipe does not end when a writer closes it; `destroy`
 * closes it.
 */
export async function readAskingPipe(path: string, uid: number | undefined): Promise<Socket> {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    if (uid !== undefined) await lchown(path, uid, uid);
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

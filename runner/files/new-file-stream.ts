import { createWriteStream, type WriteStream } from 'node:fs';

/** Returns a stream into a new file that only we can open. The path to it must belong to us. */
export const newFileStream = (path: string): WriteStream => createWriteStream(path, { flags: 'wx', mode: 0o600 });

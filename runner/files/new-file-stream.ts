import { createWriteStream, type WriteStream } from 'node:fs';

/** A stream into a file that was not there, closed to everybody else; the way to it is ours. */
export const newFileStream = (path: string): WriteStream => createWriteStream(path, { flags: 'wx', mode: 0o600 });

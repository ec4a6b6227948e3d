import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts a file into a build's tree, owned by the build. What stands there is replaced and never followed. */
export async function putFile(path: string, content: string | Uint8Array, uid: number | undefined, mode = 0o644): Promise<void> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}`;
  await putDirectory(dirname(path), uid);
  await writeFile(temporary, content, { mode, flag: 'wx' });
  // The umask may have taken bits away.
  await chmod(temporary, mode);
  if (uid !== undefined) await chown(temporary, uid, uid);
  await rename(temporary, path);
}

/** Makes a directory and the missing ones above it, owned by the build. */
export async function putDirectory(path: string, uid: number | undefined): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined || uid === undefined) return;
  for (let at = path; ; at = dirname(at)) {
    await chown(at, uid, uid);
    if (at === first) return;
  }
}

import { randomBytes, randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'client-secret';
const BYTES = 32;

/**
 * The secret with which this server names its clients in its database. The first start makes it, and the data directory
 * keeps it. With another secret, builds that wait or run would no longer count for their clients.
 */
export async function clientSecret(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, FILE);
  const known = await readSecret(path);
  if (known?.length === BYTES) return known;
  const made = `${path}.${randomUUID()}`;
  const file = await open(made, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(BYTES));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // When several processes start at once, all use the secret of the first. A file without a whole secret is replaced.
    if (known === undefined) await link(made, path).catch(unlessThere);
    else await rename(made, path);
  } finally {
    await rm(made, { force: true });
  }
  return (await readSecret(path)) ?? Promise.reject(new Error(`${path} was removed while the server started`));
}

async function readSecret(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}

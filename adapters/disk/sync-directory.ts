import { open } from 'node:fs/promises';

/**
 * Syncs a directory, so that its entries survive a loss of power. It does nothing when the directory has been removed
 * meanwhile.
 */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

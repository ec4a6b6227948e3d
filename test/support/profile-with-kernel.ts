import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Returns the first of the profiles for which the ImageBuilder in `tree` has a kernel, and the first of all if kernels
 * do not have the names of profiles. An ImageBuilder that someone has made by hand may have kernels of few profiles.
 */
export async function profileWithKernel(tree: string, profiles: readonly string[]): Promise<string> {
  const files = await readdir(join(tree, 'build_dir'), { recursive: true });
  const kernels = new Set(files.map((path) => path.split('/').at(-1)));
  const found = profiles.find((profile) => kernels.has(`${profile}-kernel.bin`)) ?? profiles[0];
  if (found === undefined) throw new Error(`The ImageBuilder at ${tree} has no profile`);
  return found;
}

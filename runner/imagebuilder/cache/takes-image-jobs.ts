import { readInside } from '#runner/files/plain-file.ts';

/**
 * The line of OpenWrt's Makefile that makes the images, by a make whose name comes from a variable. Without such a line
 * the variable would reach steps that were never made to run at once, or none.
 */
const IMAGE_STEP = /^\t.*\$\(NO_TRACE_MAKE\) -C \S*\/image install\b/m;

/** Returns whether the ImageBuilder in `tree` makes its images by the make that the caller names (decision 66). */
export async function takesImageJobs(tree: string): Promise<boolean> {
  const makefile = await readInside(tree, 'Makefile');
  return makefile !== undefined && IMAGE_STEP.test(makefile.toString('utf8'));
}

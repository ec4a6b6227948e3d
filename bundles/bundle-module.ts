import { build } from 'esbuild';
import { BUNDLE } from './esbuild-options.ts';

/**
 * Bundles a module of the project into one readable file that needs no other file and starts faster than its sources.
 */
export async function bundleModule(entryPoint: string, outfile: string): Promise<void> {
  await build({ ...BUNDLE, minify: false, entryPoints: [entryPoint], outfile });
}

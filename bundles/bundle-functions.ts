import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { SWAGGER_FILES } from '#functions/docs/swagger-assets.ts';
import { FUNCTION_NAMES } from '#functions/function-name.ts';
import { BUNDLE, ROOT } from './esbuild-options.ts';

/** The bundle of a function: its size and its sources. */
export interface FunctionBundle {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** The source files that contribute to the bundle, as paths from the root of the project. */
  readonly inputs: readonly string[];
}

/**
 * Bundles the handler of every function into one minified file, `<directory>/<name>/handler.mjs`. The tests measure and
 * run the same file that is deployed. Only the docs function has other files beside it.
 */
export async function bundleFunctions(directory: string): Promise<FunctionBundle[]> {
  const bundles = await Promise.all(FUNCTION_NAMES.map((name) => bundle(name, join(directory, name))));
  for (const file of SWAGGER_FILES) await copyFile(join(ROOT, 'node_modules', 'swagger-ui-dist', file), join(directory, 'docs', file));
  return bundles;
}

async function bundle(name: string, directory: string): Promise<FunctionBundle> {
  const path = join(directory, 'handler.mjs');
  const { metafile } = await build({ ...BUNDLE, entryPoints: [`functions/${name}/handler.ts`], outfile: path });
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error(`esbuild made no output for ${name}`);
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { name, path, bytes: output.bytes, inputs: inputs.map(([input]) => input).sort() };
}

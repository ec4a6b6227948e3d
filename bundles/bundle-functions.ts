import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
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
 * run the same file that is deployed. Only the docs function has other files beside it. One run of esbuild makes all of
 * them, so that it reads what they share once.
 */
export async function bundleFunctions(directory: string): Promise<FunctionBundle[]> {
  const { metafile } = await build({
    ...BUNDLE,
    entryPoints: FUNCTION_NAMES.map((name) => ({ in: entryPoint(name), out: `${name}/handler` })),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
  });
  for (const file of SWAGGER_FILES) await copyFile(join(ROOT, 'node_modules', 'swagger-ui-dist', file), join(directory, 'docs', file));
  return FUNCTION_NAMES.map((name) => functionBundle(name, directory, metafile));
}

const entryPoint = (name: string) => `functions/${name}/handler.ts`;

function functionBundle(name: string, directory: string, { outputs }: Metafile): FunctionBundle {
  const output = Object.values(outputs).find((one) => one.entryPoint === entryPoint(name));
  if (output === undefined) throw new Error(`esbuild made no output for ${name}`);
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { name, path: join(directory, name, 'handler.mjs'), bytes: output.bytes, inputs: inputs.map(([input]) => input).sort() };
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** A function's bundle: how large it is and what it is made of. */
export interface FunctionBundle {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Source files that left something in the bundle, by path from the root of the project. */
  readonly inputs: readonly string[];
}

/** The functions that are deployed on their own; each has a `handler.ts`. */
export const FUNCTIONS = ['prepare', 'build-submit', 'status', 'catalogue', 'store', 'maintenance'] as const;

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles every function's handler into `<directory>/<name>/handler.mjs`, minified and on its own: what is measured and tested is
 * what is deployed. The AWS SDK is bundled too: it starts faster than the runtime's own copy (PLATFORM.md).
 */
export async function bundleFunctions(directory: string): Promise<FunctionBundle[]> {
  return Promise.all(FUNCTIONS.map((name) => bundle(name, join(directory, name))));
}

async function bundle(name: string, directory: string): Promise<FunctionBundle> {
  const path = join(directory, 'handler.mjs');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${name}/handler.ts`],
    outfile: path,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    // CommonJS parts of the SDK ask for Node's modules by `require`.
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
    legalComments: 'none',
    plugins: [withoutJsonSchema],
    logOverride: { 'import-is-undefined': 'silent' },
    metafile: true,
    logLevel: 'warning',
  });
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error(`esbuild made nothing of ${name}`);
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { name, path, bytes: output.bytes, inputs: inputs.map(([input]) => input).sort() };
}

const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  setup({ onResolve }) {
    onResolve({ filter: /\/(to-json-schema|json-schema-processors)\.js$/ }, ({ importer }) =>
      importer.endsWith('/zod/v4/classic/schemas.js') ? { path: join(ROOT, 'bundles', 'no-json-schema.js') } : undefined,
    );
  },
};

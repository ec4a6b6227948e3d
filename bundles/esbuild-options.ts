import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

/** The project's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  setup({ onResolve }) {
    onResolve({ filter: /\/(to-json-schema|json-schema-processors)\.js$/ }, ({ importer }) =>
      importer.endsWith('/zod/v4/classic/schemas.js') ? { path: join(ROOT, 'bundles', 'no-json-schema.js') } : undefined,
    );
  },
};

/** `settings/version.ts` imports the whole manifest, of which a bundle needs one line. */
const withVersion: Plugin = {
  name: 'with-version',
  setup({ onLoad }) {
    onLoad({ filter: /\/settings\/version\.ts$/ }, () => ({ contents: `export const VERSION = ${JSON.stringify(manifest.version)};` }));
  },
};

/** One file for Node 24 that needs nothing beside it. The AWS SDK is in it too: it starts faster than the runtime's own copy. */
export const BUNDLE = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  // CommonJS parts of the SDK ask for Node's modules by `require`.
  banner: { js: "import{createRequire as nodeCreateRequire}from'node:module';const require=nodeCreateRequire(import.meta.url);" },
  legalComments: 'none',
  plugins: [withoutJsonSchema, withVersion],
  metafile: true,
  logLevel: 'warning',
  logOverride: { 'import-is-undefined': 'silent' },
} as const satisfies BuildOptions;

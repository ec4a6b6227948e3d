import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

/** The root directory of the project. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  setup({ onResolve }) {
    onResolve({ filter: /\/(to-json-schema|json-schema-processors)\.js$/ }, ({ importer }) =>
      importer.endsWith('/zod/v4/classic/schemas.js') ? { path: join(ROOT, 'bundles', 'no-json-schema.js') } : undefined,
    );
  },
};

/** A plugin that replaces `settings/version.ts`, which imports the whole package.json for one line. */
const withVersion: Plugin = {
  name: 'with-version',
  setup({ onLoad }) {
    onLoad({ filter: /\/settings\/version\.ts$/ }, () => ({ contents: `export const VERSION = ${JSON.stringify(manifest.version)};` }));
  },
};

/**
 * Options for one file for Node 24 that needs no other. It includes the AWS SDK, which starts faster than Lambda's
 * copy.
 */
export const BUNDLE = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  // The CommonJS parts of the SDK load Node's modules with `require`.
  banner: { js: "import{createRequire as nodeCreateRequire}from'node:module';const require=nodeCreateRequire(import.meta.url);" },
  legalComments: 'none',
  plugins: [withoutJsonSchema, withVersion],
  metafile: true,
  logLevel: 'warning',
  logOverride: { 'import-is-undefined': 'silent' },
} as const satisfies BuildOptions;

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { BUNDLE, ROOT } from './esbuild-options.ts';

/** The files of Swagger UI that the documentation page loads. */
const SWAGGER = {
  'swagger-ui.css': { path: import.meta.resolve('swagger-ui-dist/swagger-ui.css'), contentType: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': {
    path: import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
    contentType: 'text/javascript; charset=utf-8',
  },
};

/**
 * A plugin that embeds the files of Swagger UI. `swagger-assets.ts` reads them from node_modules, which the single file
 * does not have.
 */
const withSwagger: Plugin = {
  name: 'with-swagger',
  setup({ onLoad }) {
    onLoad({ filter: /\/functions\/docs\/swagger-assets\.ts$/ }, async () => {
      const files = Object.entries(SWAGGER).map(async ([name, { path, contentType }]) => [
        name,
        { body: await readFile(fileURLToPath(path), 'utf8'), contentType },
      ]);
      const assets = JSON.stringify(await Promise.all(files));
      return { contents: `const assets = new Map(${assets}); export const swaggerAssets = () => async (name) => assets.get(name);` };
    });
  },
};

/**
 * A plugin that loads Node's modules when the file runs, and not when Node links it. An older Node lacks some of their
 * exports and would otherwise end with a stack trace before the version check in the banner runs.
 */
const withLateModules: Plugin = {
  name: 'with-late-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'late' }));
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule('${path}');` }));
  },
};

/** Bundles the standalone server into one file that needs only Node 24. Returns its size in bytes. */
export async function bundleStandalone(outfile: string): Promise<number> {
  const needsNode = await readFile(join(ROOT, 'bundles', 'require-node.cjs'), 'utf8');
  const { metafile } = await build({
    ...BUNDLE,
    entryPoints: ['standalone/asu.ts'],
    outfile,
    banner: { js: `#!/usr/bin/env node\n${needsNode}${BUNDLE.banner.js}` },
    plugins: [...BUNDLE.plugins, withSwagger, withLateModules],
  });
  return Object.values(metafile.outputs)[0]?.bytes ?? 0;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { BUNDLE, ROOT } from './esbuild-options.ts';

/** The files of Swagger UI that the documentation page asks for. */
const SWAGGER = {
  'swagger-ui.css': { path: import.meta.resolve('swagger-ui-dist/swagger-ui.css'), contentType: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': {
    path: import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
    contentType: 'text/javascript; charset=utf-8',
  },
};

/** `swagger-assets.ts` reads these files from node_modules. A single file has nothing beside it, so the plugin puts them inside. */
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
 * Loads Node's modules when the file runs and not when Node links it. An older Node lacks some of their exports and would end with a
 * stack trace before the first line of the file; this way the check in the banner speaks first.
 */
const withLateModules: Plugin = {
  name: 'with-late-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'late' }));
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule('${path}');` }));
  },
};

/** Makes the standalone server one file that needs Node 24 and nothing beside it. Returns its size in bytes. */
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

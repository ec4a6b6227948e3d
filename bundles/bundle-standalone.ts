import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { BUNDLE } from './esbuild-options.ts';

/** Of Swagger UI, what the documentation page asks for. */
const SWAGGER = {
  'swagger-ui.css': { path: import.meta.resolve('swagger-ui-dist/swagger-ui.css'), contentType: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': {
    path: import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
    contentType: 'text/javascript; charset=utf-8',
  },
};

/** Elsewhere `swagger-assets.ts` reads these files; there are none beside a single file, so it has them inside. */
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

/** Makes the standalone server one file that needs Node 24 and nothing beside it; answers how large it is. */
export async function bundleStandalone(outfile: string): Promise<number> {
  const { metafile } = await build({
    ...BUNDLE,
    entryPoints: ['standalone/asu.ts'],
    outfile,
    banner: { js: `#!/usr/bin/env node\n${BUNDLE.banner.js}` },
    plugins: [...BUNDLE.plugins, withSwagger],
  });
  return Object.values(metafile.outputs)[0]?.bytes ?? 0;
}

import { readFile } from 'node:fs/promises';
import type { ReadAsset } from './app.ts';

const FILES: ReadonlyMap<string, { url: string; contentType: string }> = new Map([
  ['swagger-ui.css', { url: import.meta.resolve('swagger-ui-dist/swagger-ui.css'), contentType: 'text/css; charset=utf-8' }],
  [
    'swagger-ui-bundle.js',
    { url: import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'), contentType: 'text/javascript; charset=utf-8' },
  ],
]);

/** Swagger UI from npm, as it was installed; read when first asked for and kept. */
export function swaggerAssets(): ReadAsset {
  const kept = new Map<string, ReturnType<ReadAsset>>();
  return async (name) => {
    const file = FILES.get(name);
    if (file === undefined) return undefined;
    const known = kept.get(name) ?? readFile(new URL(file.url), 'utf8').then((body) => ({ body, contentType: file.contentType }));
    kept.set(name, known);
    return known;
  };
}

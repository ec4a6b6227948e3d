import { readFile } from 'node:fs/promises';
import type { ReadAsset } from './app.ts';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
]);

/** Swagger UI from npm, as it was installed; read when first asked for and kept. */
export function swaggerAssets(): ReadAsset {
  const kept = new Map<string, ReturnType<ReadAsset>>();
  const read = async (name: string, contentType: string) => ({
    body: await readFile(new URL(import.meta.resolve(`swagger-ui-dist/${name}`)), 'utf8'),
    contentType,
  });
  return async (name) => {
    const contentType = TYPES.get(name);
    if (contentType === undefined) return undefined;
    const known = kept.get(name) ?? read(name, contentType);
    kept.set(name, known);
    return known;
  };
}

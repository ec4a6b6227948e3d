import { readFile } from 'node:fs/promises';
import type { ReadAsset } from './app.ts';

/** The files of Swagger UI that the page needs. */
export const SWAGGER_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'] as const;
type SwaggerFile = (typeof SWAGGER_FILES)[number];

const TYPES: Readonly<Record<SwaggerFile, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** Where npm installed the file. */
const installedSwagger = (name: SwaggerFile): string =>
  name === 'swagger-ui.css'
    ? import.meta.resolve('swagger-ui-dist/swagger-ui.css')
    : import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js');

/**
 * Reads files of Swagger UI, from where npm installed them or from another place. Each is read once and kept in memory.
 */
export function swaggerAssets(urlOf: (name: SwaggerFile) => string = installedSwagger): ReadAsset {
  const kept = new Map<string, ReturnType<ReadAsset>>();
  return async (name) => {
    const file = SWAGGER_FILES.find((one) => one === name);
    if (file === undefined) return undefined;
    const known = kept.get(file) ?? readFile(new URL(urlOf(file)), 'utf8').then((body) => ({ body, contentType: TYPES[file] }));
    kept.set(file, known);
    return known;
  };
}

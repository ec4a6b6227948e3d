import type { FunctionName } from '#functions/function-name.ts';

/** The paths of the HTTP API by function. They hold for every method: the function itself refuses a wrong method. */
export const API_ROUTES: readonly (readonly [path: string, name: Exclude<FunctionName, 'maintenance'>])[] = [
  ['/api/v1/build', 'build-submit'],
  ['/api/v1/build/prepare', 'build-submit'],
  ['/api/v1/build/{hash}', 'status'],
  ['/api/v1/build/{hash}/{proxy+}', 'status'],
  // Only what the bucket does not have: an image by the request hash is a redirect, everything else 404.
  ['/store/{proxy+}', 'status'],
  ['/api/v1/prepare', 'prepare'],
  ['/apply', 'prepare'],
  ['/api/v1/openapi.json', 'docs'],
  ['/api/v1/docs', 'docs'],
  ['/api/v1/docs/{proxy+}', 'docs'],
  ['/api/v1/redoc', 'docs'],
  ['/openapi.json', 'docs'],
  ['/docs', 'docs'],
  ['/redoc', 'docs'],
  // `/health` is cheap, so a function without clients answers it. `/ready` asks the function that needs everything.
  ['/health', 'store'],
  ['/ready', 'build-submit'],
  ['/json/v1/{proxy+}', 'catalogue'],
  ['/api/v1/revision/{proxy+}', 'catalogue'],
  ['/api/v1/latest', 'catalogue'],
  ['/api/v1/overview', 'catalogue'],
  ['/api/overview', 'catalogue'],
  ['/overview', 'catalogue'],
  ['/', 'stats'],
  ['/stats', 'stats'],
  ['/api/v1/stats', 'stats'],
  ['/api/v1/stats/{proxy+}', 'stats'],
  ['/api/v1/builds-per-day', 'stats'],
  ['/api/v1/builds-by-version', 'stats'],
  ['/api/v1/top-packages', 'stats'],
  ['/api/v1/build-errors', 'stats'],
];

import type { FunctionName } from '../bundles/bundle-functions.ts';

/** Which function takes which path of the HTTP API, whatever the method: refusing one is the function's to do. */
export const API_ROUTES: readonly (readonly [path: string, name: Exclude<FunctionName, 'maintenance'>])[] = [
  ['/api/v1/build', 'build-submit'],
  ['/api/v1/build/prepare', 'build-submit'],
  ['/api/v1/build/{hash}', 'status'],
  ['/api/v1/build/{hash}/{proxy+}', 'status'],
  ['/api/v1/prepare', 'prepare'],
  ['/apply', 'prepare'],
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

import type { FunctionName } from '../bundles/bundle-functions.ts';

/** Routes of the HTTP API, as infra/api.ts has them; a test compares. The most specific wins, `{x+}` takes the rest. */
const ROUTES: readonly (readonly [path: string, name: FunctionName])[] = [
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
];

/** What no route takes. */
const DEFAULT: FunctionName = 'store';

const MATCHERS = ROUTES.map(([path, name]) => ({
  name,
  variables: path.split('{').length,
  pattern: new RegExp(`^${path.replace(/\{\w+\+\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`),
})).sort((a, b) => a.variables - b.variables);

/** The function that the HTTP API asks for a path, and the key of its route. */
export const functionFor = (path: string): FunctionName => MATCHERS.find(({ pattern }) => pattern.test(path))?.name ?? DEFAULT;

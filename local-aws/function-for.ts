import type { FunctionName } from '#functions/function-name.ts';
import { API_ROUTES } from '../infra/api-routes.ts';

/** The function that gets every path without a route: `$default` in infra/api.ts. */
const DEFAULT: FunctionName = 'store';

/**
 * The routes, as API Gateway reads their paths: `{x}` is one segment, `{x+}` is the rest, and the most specific route
 * wins.
 */
const MATCHERS = API_ROUTES.map(([path, name]) => ({
  name,
  variables: path.split('{').length,
  pattern: new RegExp(`^${path.replace(/\{\w+\+\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`),
})).sort((a, b) => a.variables - b.variables);

/** Returns the function that the HTTP API invokes for a path. */
export const functionFor = (path: string): FunctionName => MATCHERS.find(({ pattern }) => pattern.test(path))?.name ?? DEFAULT;

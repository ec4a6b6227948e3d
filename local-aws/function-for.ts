import type { FunctionName } from '#functions/function-name.ts';
import { API_ROUTES } from '../infra/api-routes.ts';

/** What no route takes: `$default` of infra/api.ts. */
const DEFAULT: FunctionName = 'store';

/** As API Gateway understands paths: `{x}` is one segment, `{x+}` the rest, and the most specific wins. */
const MATCHERS = API_ROUTES.map(([path, name]) => ({
  name,
  variables: path.split('{').length,
  pattern: new RegExp(`^${path.replace(/\{\w+\+\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`),
})).sort((a, b) => a.variables - b.variables);

/** The function that the HTTP API asks for a path. */
export const functionFor = (path: string): FunctionName => MATCHERS.find(({ pattern }) => pattern.test(path))?.name ?? DEFAULT;

/** The template of every path that no route answers, so that scans make no labels. */
export const UNMATCHED = 'unmatched';

const templates = new Map<string, string>();

/**
 * Returns the template of the route that answers, for logs and metrics: `/api/v1/build/:hash`, without the pattern of a
 * parameter. There are only as many templates as routes, whatever clients ask for.
 */
export function routeTemplate(matched: readonly { path: string; method: string }[]): string {
  const path = matched.findLast(({ method }) => method !== 'ALL')?.path;
  if (path === undefined) return UNMATCHED;
  let template = templates.get(path);
  if (template === undefined) {
    template = withoutPatterns(path);
    templates.set(path, template);
  }
  return template;
}

/** Returns `:hash` for `:hash{[0-9a-f]{64}}`. */
function withoutPatterns(path: string): string {
  let depth = 0;
  let template = '';
  for (const character of path) {
    if (character === '{') depth += 1;
    if (depth === 0) template += character;
    if (character === '}') depth -= 1;
  }
  return template;
}

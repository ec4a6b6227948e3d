/** What stands for every path that no route answers: scans must not make labels. */
export const UNMATCHED = 'unmatched';

const templates = new Map<string, string>();

/**
 * The template of the route that answers, as logs and metrics name it: `/api/v1/build/:hash`, without the pattern that a parameter
 * has to match. There are as many as there are routes, whatever is asked for.
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

/** `:hash{[0-9a-f]{64}}` is `:hash`. */
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

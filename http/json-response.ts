/** What an answer was made of, for as long as somebody holds it. */
const madeOf = new WeakMap<Response, { status: number; json: string; headers: Readonly<Record<string, string>> }>();

/** JSON text as an answer, with its length: HEAD and auc need it (docs/contract.md §9.5). */
export function jsonResponse(status: number, json: string, headers: Readonly<Record<string, string>> = {}): Response {
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(json)), ...headers };
  const response = new Response(json, { status, headers: all });
  madeOf.set(response, { status, json, headers: all });
  return response;
}

/**
 * The answer with these headers besides, in place of those of the same name. JSON is answered by the thousand, and asking a `Response`
 * for its headers costs more than making it: such an answer is made anew.
 */
export function withHeaders(response: Response, more: Readonly<Record<string, string>>): Response {
  const made = madeOf.get(response);
  if (made !== undefined) return new Response(made.json, { status: made.status, headers: { ...made.headers, ...more } });
  for (const name in more) response.headers.set(name, more[name] as string);
  return response;
}

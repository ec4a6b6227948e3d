/** The parts of each answer, for as long as the answer itself is in use. */
const madeOf = new WeakMap<Response, { status: number; json: string; headers: Readonly<Record<string, string>> }>();

/** Returns JSON text as an answer with its length, which HEAD and auc need (docs/contract.md §9.5). */
export function jsonResponse(status: number, json: string, headers: Readonly<Record<string, string>> = {}): Response {
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(json)), ...headers };
  const response = new Response(json, { status, headers: all });
  madeOf.set(response, { status, json, headers: all });
  return response;
}

/**
 * Returns the answer with these headers, which replace those of the same name. The server answers JSON by the thousand,
 * and reading the headers of a `Response` costs more than making it, so a JSON answer is made again.
 */
export function withHeaders(response: Response, more: Readonly<Record<string, string>>): Response {
  const made = madeOf.get(response);
  if (made !== undefined) return new Response(made.json, { status: made.status, headers: { ...made.headers, ...more } });
  for (const name in more) response.headers.set(name, more[name] as string);
  return response;
}

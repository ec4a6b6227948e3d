/** JSON text as an answer, with its length: HEAD and auc need it (CLIENTS.md §0.5). */
export function jsonResponse(status: number, json: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(json, {
    status,
    headers: { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(json)), ...headers },
  });
}

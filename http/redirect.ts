/**
 * Returns a redirect to another path of this server. It is relative, so that it works behind any proxy
 * (docs/contract.md §10.25).
 */
export const redirect = (status: 301 | 302 | 307, location: string, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(null, { status, headers: { Location: location, 'Content-Length': '0', ...headers } });

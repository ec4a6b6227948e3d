/** To another path of this server; relative, so that it holds behind any proxy (docs/contract.md §10.25). */
export const redirect = (status: 301 | 307, location: string): Response =>
  new Response(null, { status, headers: { Location: location, 'Content-Length': '0' } });

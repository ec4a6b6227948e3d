/** Where a build is: in the queue, with a runner, or at its end. */
export type BuildPlace = 'waiting' | 'building' | 'ended';

/** What the answer of `/api/v1/build/{hash}` says of the build; `undefined`: nothing, since the service could not tell. */
export function buildPlace({ status, headers }: Pick<Response, 'status' | 'headers'>): BuildPlace | undefined {
  const said = headers.get('X-Imagebuilder-Status');
  if (status === 202) return said === 'queued' ? 'waiting' : 'building';
  return said === 'done' || said === 'failed' || status === 404 ? 'ended' : undefined;
}

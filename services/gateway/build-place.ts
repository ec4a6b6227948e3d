/** Where a build is: in the queue, with a runner, or at its end. */
export type BuildPlace = 'waiting' | 'building' | 'ended';

/** The place of the build, read from an answer of `/api/v1/build/{hash}`; `undefined` when the answer does not say. */
export function buildPlace({ status, headers }: Pick<Response, 'status' | 'headers'>): BuildPlace | undefined {
  const said = headers.get('X-Imagebuilder-Status');
  if (status === 202) return said === 'queued' ? 'waiting' : 'building';
  return said === 'done' || said === 'failed' || status === 404 ? 'ended' : undefined;
}

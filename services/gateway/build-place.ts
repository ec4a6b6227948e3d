/** The place of a build: in the queue, with a runner, or at its end. */
export type BuildPlace = 'waiting' | 'building' | 'ended';

/**
 * Returns the place of the build from an answer of `/api/v1/build/{hash}`, or `undefined` if the answer does not say.
 */
export function buildPlace({ status, headers }: Pick<Response, 'status' | 'headers'>): BuildPlace | undefined {
  const said = headers.get('X-Imagebuilder-Status');
  if (status === 202) return said === 'queued' ? 'waiting' : 'building';
  return said === 'done' || said === 'failed' || status === 404 ? 'ended' : undefined;
}

import { type BuildStatusDeps, getBuildStatus } from '#core/build/build-status.ts';
import { BuildNotFoundError } from '#core/errors.ts';
import { RequestHash } from '#core/request/request-hash.ts';
import { buildResponse, type EstimateSeconds } from '#http/build-response.ts';
import { type Routes, routes } from '#http/http-app.ts';

export interface StatusAppDeps extends BuildStatusDeps {
  readonly estimate: EstimateSeconds;
}

/** Serves the state of a build: `GET` and `HEAD /api/v1/build/{request_hash}`. */
export function statusApp(deps: StatusAppDeps): Routes {
  // Every text that is not as long as `prepare`, which has a path of its own: the fast router cannot exclude a word.
  return routes().get('/api/v1/build/:hash{[^/]{8,}|[^/]{1,6}}', async (c) => {
    const hash = RequestHash.safeParse(c.req.param('hash'));
    if (!hash.success) throw new BuildNotFoundError();
    return buildResponse(await getBuildStatus(deps, hash.data), deps.estimate);
  });
}

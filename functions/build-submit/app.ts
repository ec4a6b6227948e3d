import type { Context } from 'hono';
import { timeOf } from '#core/build/build-status.ts';
import type { ClientKey } from '#core/build/ports.ts';
import { withoutText } from '#core/build/private-build-error.ts';
import { type AdmitBuild, type SubmitBuildDeps, type Submitted, submitBuild } from '#core/build/submit-build.ts';
import { AsuError } from '#core/errors.ts';
import { forecastRequest } from '#core/request/forecast/forecast-request.ts';
import type { ParseBuildRequest } from '#core/request/parse-build-request.ts';
import type { PrepareBuildOptions } from '#core/request/prepare-build.ts';
import { type AskPrepare, type PrepareRemotelyDeps, prepareRemotely } from '#core/request/prepare-remotely.ts';
import type { PreparedBuild } from '#core/request/prepared-build.ts';
import { shown } from '#http/access-log.ts';
import { buildRequestBody } from '#http/build-request-body.ts';
import { buildResponse, type EstimateSeconds } from '#http/build-response.ts';
import { type HttpEnv, type Routes, routes } from '#http/http-app.ts';
import { preparedBody } from '#http/prepared-response.ts';
import { queryFlag } from '#http/query-parameters.ts';

export interface BuildSubmitAppDeps extends SubmitBuildDeps, PrepareRemotelyDeps {
  readonly parseRequest: () => ParseBuildRequest;
  readonly maxBodyBytes: () => number;
  readonly estimate: EstimateSeconds;
  /** Admits or refuses a client that is about to begin a build; absent: all are admitted. */
  readonly admit?: (c: Context<HttpEnv>) => AdmitBuild | undefined;
  /** Returns the client to which a build that this request begins counts; absent: builds have no client. */
  readonly clientKey?: (c: Context<HttpEnv>) => ClientKey;
  /** Called with every accepted request, for metrics and statistics. */
  readonly onSubmitted?: (submitted: Submitted, client: string, correlationId: string) => void;
  /** Called when the server refuses a request that has passed the schema. */
  readonly onRejected?: (client: string) => void;
}

/** Takes build requests: `POST /api/v1/build`, and its first step alone, `POST /api/v1/build/prepare`. */
export function buildSubmitApp(deps: BuildSubmitAppDeps): Routes {
  return routes()
    .post('/api/v1/build', async (c) => {
      const skipResolution = queryFlag('skip_package_resolution', c.req.query('skip_package_resolution'));
      const request = await buildRequestBody(c, deps);
      const client = clientOf(request.client, c.req.header('User-Agent'));
      const options = {
        correlationId: c.get('correlationId'),
        skipResolution,
        admit: deps.admit?.(c),
        clientKey: () => deps.clientKey?.(c),
      };
      const submitted = await submitBuild(deps, request, options).catch((error) => {
        const reason = error instanceof AsuError && !request.defaults ? { reason: shown(error.message) } : {};
        c.set('logFields', { outcome: 'rejected', ...reason });
        deps.onRejected?.(client);
        throw error;
      });
      // A reader of the log who has the hash of a build with `defaults` could read them, so the log does not get it.
      c.set('logFields', { outcome: submitted.outcome, ...(!request.defaults && { request_hash: submitted.prepared.hash }) });
      deps.onSubmitted?.(submitted, client, options.correlationId);
      return buildResponse(submitted.view, deps.estimate, 'POST', submitted.prepared.warnings);
    })
    .post('/api/v1/build/prepare', async (c) => {
      const skipResolution = queryFlag('skip_package_resolution', c.req.query('skip_package_resolution'));
      const request = await buildRequestBody(c, deps);
      // The prepare service is asked once, also where upstream is asked again.
      let asked: ReturnType<AskPrepare> | undefined;
      const askPrepare: AskPrepare | undefined =
        deps.askPrepare && ((...of) => (asked ??= deps.askPrepare?.(...of) ?? Promise.resolve(undefined)));
      const prepare = (options: PrepareBuildOptions) =>
        prepareRemotely({ ...deps, askPrepare }, request, c.get('correlationId'), { ...options, skipResolution });
      const answer = async () => {
        const made = await forecastRequest(deps, prepare);
        return { ...preparedBody(made), ...(await availability(deps, made.prepared)) };
      };
      return c.json(await answer().catch(withoutText(request)));
    });
}

async function availability(deps: BuildSubmitAppDeps, { hash }: PreparedBuild) {
  const build = await deps.builds.get(hash);
  const isFinished = build?.state === 'done' && build.expiresAt > timeOf(deps, build).toISOString();
  return { cache_available: isFinished, cached_job_id: isFinished ? hash : null };
}

/**
 * The name of the client for statistics: from the body, else from auc's User-Agent, else unknown (as the reference
 * server does).
 */
function clientOf(client: string | null, userAgent: string | undefined): string {
  if (client) return client.slice(0, 100);
  if (userAgent?.startsWith('auc')) return userAgent.replace(' (', '/').replace(')', '').slice(0, 100);
  return 'unknown/0';
}

import { resultMeta } from '#core/build/artifact-keys.ts';
import { BUILD_STEPS } from '#core/build/build.ts';
import type { BuildView } from '#core/build/build-status.ts';
import { type Warning, warningsPart } from '#core/warning.ts';
import { jsonResponse } from './json-response.ts';

/** Estimates the seconds until a build is done that has this many builds ahead of it. */
export type EstimateSeconds = (ahead: number) => number;

const CANCELLED = { title: 'Build cancelled', detail: 'Error: build was cancelled' };

/**
 * Returns the answer about a build, the same for POST, GET and HEAD (docs/contract.md §3). All answers about builds
 * come from here. `warnings` are those of the request that a POST has just prepared; an order and a result carry their
 * own.
 */
export function buildResponse(
  view: BuildView,
  estimate: EstimateSeconds,
  method: 'GET' | 'POST' = 'GET',
  warnings: readonly Warning[] = [],
): Response {
  switch (view.state) {
    case 'queued':
      return pending('queued', view.position, estimate(view.position), {
        status: 202,
        detail: 'queued',
        queue_position: view.position,
        ...warningsPart(warnings),
        enqueued_at: view.build.enqueuedAt,
        request_hash: view.build.hash,
      });
    case 'building':
      // There is no queue_position: its absence is how LuCI knows that the build runs (docs/contract.md §9.10).
      return pending(view.build.step, 0, estimate(0) * remaining(view.build.step), {
        status: 202,
        detail: 'started',
        imagebuilder_status: view.build.step,
        ...(view.order && { request: view.order.request }),
        ...warningsPart(view.order?.warnings ?? warnings),
        enqueued_at: view.build.enqueuedAt,
        request_hash: view.build.hash,
      });
    case 'done':
      return jsonResponse(200, view.document, {
        ...headers('done', 0),
        // The same as that of the published document, with which a CDN answers in place of this, but never beyond the
        // build's expiry.
        'Cache-Control':
          view.build.isPrivate || method === 'GET' ? resultMeta(view.build.isPrivate, view.maxAgeSeconds).cacheControl : 'no-store',
      });
    case 'failed':
      return jsonResponse(500, view.document ?? failureBody(view.build, 'Build failed', view.build.detail), {
        ...headers('failed', 0),
        ...(view.retryAfterSeconds !== undefined && { 'Retry-After': String(view.retryAfterSeconds) }),
        'Cache-Control': 'no-store',
      });
    case 'cancelled':
      return jsonResponse(500, failureBody(view.build, CANCELLED.title, CANCELLED.detail), {
        ...headers('failed', 0),
        'Cache-Control': 'no-store',
      });
  }
}

function pending(status: string, position: number, seconds: number, body: object): Response {
  const eta = Math.max(1, Math.round(seconds));
  return jsonResponse(202, JSON.stringify({ ...body, eta_seconds: eta }), {
    ...headers(status, position),
    'Retry-After': String(Math.min(30, Math.max(2, Math.round(eta / 4)))),
    'Cache-Control': 'no-store',
  });
}

const headers = (status: string, position: number) => ({ 'X-Imagebuilder-Status': status, 'X-Queue-Position': String(position) });

const failureBody = (build: { enqueuedAt: string; hash: string }, title: string, detail: string): string =>
  JSON.stringify({
    status: 500,
    title,
    detail,
    imagebuilder_status: 'failed',
    stdout: '',
    stderr: detail,
    enqueued_at: build.enqueuedAt,
    request_hash: build.hash,
  });

/** Returns the rough share of a build that is left when the step begins. The image itself takes most of the time. */
const remaining = (step: (typeof BUILD_STEPS)[number]): number => 1 - BUILD_STEPS.indexOf(step) * 0.1;

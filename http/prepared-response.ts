import type { BuildRequest } from '#core/request/build-request.ts';
import { missingImagebuilder } from '#core/request/missing-imagebuilder.ts';
import type { PreparedBuild } from '#core/request/prepared-build.ts';
import { type Warning, warningsPart } from '#core/warning.ts';

/**
 * The answer of the first step of a two-step build, without the fields that only the build service knows
 * (docs/contract.md §3).
 */
export interface PreparedBody {
  readonly status: 'prepared';
  readonly original_packages: readonly string[];
  readonly original_diff_packages: boolean;
  readonly resolved_packages: readonly string[];
  readonly changes: PreparedBuild['changes'];
  readonly missing: readonly string[];
  readonly suggestions?: PreparedBuild['suggestions'];
  readonly outdated?: PreparedBuild['outdated'];
  readonly warnings?: readonly Warning[];
  readonly imagebuilder: PreparedImagebuilder;
  /** The client can post it to `/api/v1/build` unchanged, with the skip flag or without, for the same build. */
  readonly prepared_request: BuildRequest;
  readonly request_hash: string;
  readonly status_url: string;
}

/** Whether upstream has an ImageBuilder for the target. Without one, a build would be refused in the words of `detail`. */
interface PreparedImagebuilder {
  readonly available: boolean;
  readonly revision: string;
  readonly detail?: string;
  /** When to ask again. Absent where waiting does not help. */
  readonly retry_after_seconds?: number;
}

function imagebuilderOf(prepared: PreparedBuild): PreparedImagebuilder {
  const { revision } = prepared.valid.record;
  const refusal = missingImagebuilder(prepared);
  if (refusal === undefined) return { available: true, revision };
  const retryAfter = refusal.headers?.['Retry-After'];
  return {
    available: false,
    revision,
    detail: refusal.message,
    ...(retryAfter !== undefined && { retry_after_seconds: Number(retryAfter) }),
  };
}

export function preparedBody(prepared: PreparedBuild): PreparedBody {
  const { asked, resolved, missing, suggestions, outdated, warnings } = prepared;
  return {
    status: 'prepared',
    original_packages: Object.keys(asked.packages_versions).length > 0 ? Object.keys(asked.packages_versions) : asked.packages,
    original_diff_packages: asked.diff_packages,
    resolved_packages: resolved.packages,
    changes: prepared.changes,
    missing,
    ...(Object.keys(suggestions).length > 0 && { suggestions }),
    ...(outdated.length > 0 && { outdated }),
    ...warningsPart(warnings),
    imagebuilder: imagebuilderOf(prepared),
    prepared_request: resolved,
    request_hash: prepared.hash,
    status_url: `/api/v1/build/${prepared.hash}`,
  };
}

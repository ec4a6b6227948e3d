import type { BuildRequest } from '#core/request/build-request.ts';
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
  /** The client can post it to `/api/v1/build` unchanged, with the skip flag or without, for the same build. */
  readonly prepared_request: BuildRequest;
  readonly request_hash: string;
  readonly status_url: string;
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
    prepared_request: resolved,
    request_hash: prepared.hash,
    status_url: `/api/v1/build/${prepared.hash}`,
  };
}

import type { BuildRequest } from '#core/request/build-request.ts';
import type { Forecast, PackageProblem } from '#core/request/forecast/forecast.ts';
import type { ForecastRequest } from '#core/request/forecast/forecast-request.ts';
import { forecastWarnings } from '#core/request/forecast/forecast-warnings.ts';
import { missingImagebuilder } from '#core/request/missing-imagebuilder.ts';
import type { PreparedBuild } from '#core/request/prepared-build.ts';
import { type Warning, warningsPart } from '#core/warning.ts';

/** A package that the image would have. */
interface InstalledEntry {
  /** The name as the package is really called, with its ABI version. */
  readonly name: string;
  readonly version: string;
  /** Bytes of the installed files; 0 where the index does not say it. */
  readonly size: number;
  readonly why: Forecast['installed'][number]['reason']['kind'];
  /** The packages that lead to a dependency, from one that is there for another reason. */
  readonly needed_by?: readonly string[];
}

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
  readonly verdict: Forecast['verdict'];
  readonly verdict_reason?: string;
  readonly missing: readonly string[];
  readonly suggestions?: PreparedBuild['suggestions'];
  readonly outdated?: PreparedBuild['outdated'];
  readonly conflicts: readonly { readonly packages: readonly string[]; readonly chain: readonly string[] }[];
  readonly virtual: readonly { readonly name: string; readonly providers: readonly string[] }[];
  readonly problems: readonly PackageProblem[];
  readonly installed: readonly InstalledEntry[];
  readonly download_size?: number;
  readonly installed_size?: number;
  readonly size_limits?: { readonly image?: number; readonly kernel?: number };
  readonly lost_defaults: Forecast['lostDefaults'];
  readonly replaced_defaults: Forecast['replacedDefaults'];
  readonly ineffective_removals: Forecast['ineffectiveRemovals'];
  readonly rewritten: Forecast['rewritten'];
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

export function preparedBody({ prepared, forecast }: ForecastRequest): PreparedBody {
  const { asked, resolved, suggestions, outdated } = prepared;
  const { verdict, reason, problems, installed } = forecast;
  const ofCode = (code: PackageProblem['code']) => problems.filter((problem) => problem.code === code);
  return {
    status: 'prepared',
    original_packages: Object.keys(asked.packages_versions).length > 0 ? Object.keys(asked.packages_versions) : asked.packages,
    original_diff_packages: asked.diff_packages,
    resolved_packages: resolved.packages,
    changes: prepared.changes,
    verdict,
    ...(reason !== undefined && { verdict_reason: reason }),
    missing: [...new Set([...prepared.missing, ...ofCode('missing').map((problem) => problem.package)])],
    ...(Object.keys(suggestions).length > 0 && { suggestions }),
    ...(outdated.length > 0 && { outdated }),
    conflicts: ofCode('conflict').map(({ package: name, other = '', chain }) => ({ packages: [name, other], chain })),
    virtual: ofCode('virtual').map(({ package: name, choices = [] }) => ({ name, providers: choices })),
    problems,
    installed: installed.map(({ name, version, installedSize, reason: { kind, chain } }) => ({
      ...{ name, version, size: installedSize, why: kind },
      ...(chain.length > 0 && { needed_by: chain }),
    })),
    ...sizesOf(forecast),
    ...limitsOf(prepared),
    lost_defaults: forecast.lostDefaults,
    replaced_defaults: forecast.replacedDefaults,
    ineffective_removals: forecast.ineffectiveRemovals,
    rewritten: forecast.rewritten,
    ...warningsPart(forecastWarnings({ prepared, forecast })),
    imagebuilder: imagebuilderOf(prepared),
    prepared_request: resolved,
    request_hash: prepared.hash,
    status_url: `/api/v1/build/${prepared.hash}`,
  };
}

/** Returns the bytes of all packages, which the image compresses once more, and of their files on the device. */
function sizesOf({ installed }: Forecast): Pick<PreparedBody, 'download_size' | 'installed_size'> {
  if (installed.length === 0) return {};
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    download_size: sum(installed.map(({ downloadSize }) => downloadSize)),
    installed_size: sum(installed.map(({ installedSize }) => installedSize)),
  };
}

/** Returns how large the image and the kernel of the device may be, in bytes, where upstream's profile says it. */
function limitsOf({ resolved, valid }: PreparedBuild): Pick<PreparedBody, 'size_limits'> {
  const limits = valid.record.profiles[resolved.profile]?.raw['file_size_limits'];
  if (typeof limits !== 'object' || limits === null) return {};
  const entries = (['image', 'kernel'] as const).flatMap((kind) => {
    const value: unknown = Object.hasOwn(limits, kind) ? (limits as Record<string, unknown>)[kind] : undefined;
    return Number.isSafeInteger(value) ? [[kind, value]] : [];
  });
  return entries.length > 0 ? { size_limits: Object.fromEntries(entries) } : {};
}

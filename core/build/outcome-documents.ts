import { buildAt } from '#core/catalogue/profile-document.ts';
import type { BuildOutput, FailureEvidence } from '#core/imagebuilder/build-output.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { warningsPart } from '#core/warning.ts';
import { artifactKeys } from './artifact-keys.ts';
import type { DoneBuild, FailedBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { outcomeOfImage } from './forecast-outcome.ts';

/**
 * Returns the whole 200 body, which POST and GET answer and the CDN serves from the store (docs/contract.md §3, key
 * order as there).
 */
export function resultDocument(order: BuildOrder, build: DoneBuild, output: BuildOutput): Record<string, unknown> {
  const { profile, metadata } = output;
  const ours = {
    detail: 'done',
    imagebuilder_status: 'done',
    request: order.request,
    stdout: output.stdout,
    stderr: output.stderr,
    build_cmd: output.buildCommand,
    status: 200,
  };
  return {
    ...ours,
    ...metadata,
    ...profile,
    // ImageBuilder's profiles.json must not set these.
    ...ours,
    manifest: output.manifest,
    forecast: outcomeOfImage(order, output),
    id: order.request.profile,
    bin_dir: build.binDir,
    build_cmd_packages: output.packages,
    warnings: warningsPart([...(order.warnings ?? []), ...(output.warnings ?? [])]).warnings,
    build_at: buildAt(metadata['source_date_epoch']),
    durations_ms: output.durations,
    inputs: output.digests,
    files: output.files.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    reproduce: output.reproduce,
    enqueued_at: build.enqueuedAt,
    request_hash: build.hash,
  };
}

/** Returns the whole 500 body. `detail` always says what failed (docs/contract.md §10.11). */
export function failureDocument(
  order: BuildOrder,
  build: Pick<FailedBuild, 'hash' | 'enqueuedAt' | 'detail'>,
  evidence: FailureEvidence,
): Record<string, unknown> {
  return {
    status: 500,
    title: 'Build failed',
    detail: build.detail,
    imagebuilder_status: 'failed',
    request: order.request,
    stdout: evidence.stdout ?? '',
    stderr: evidence.stderr ?? '',
    ...(evidence.buildCommand && { build_cmd: evidence.buildCommand }),
    ...(evidence.errors && { errors: evidence.errors }),
    enqueued_at: build.enqueuedAt,
    request_hash: build.hash,
  };
}

/**
 * Whether a stored document is the result of this attempt: another attempt may have published its own, and a failure
 * has no `bin_dir`.
 */
export const isResultOf = (document: string, binDir: BinDir): boolean => document.includes(`"bin_dir":"${binDir}"`);

/** Returns the attempt's own copy of its result, wherever the version that made it stored it. */
export async function readResult(artifacts: Pick<ArtifactStore, 'read'>, binDir: BinDir): Promise<string | undefined> {
  for (const key of [artifactKeys.success(binDir), artifactKeys.formerOutcome(binDir)]) {
    const document = await artifacts.read(key);
    if (document !== undefined && isResultOf(document, binDir)) return document;
  }
  return undefined;
}

/**
 * Returns the attempt's own copy of its failure. Earlier versions stored results under the same key; those are not
 * returned.
 */
export async function readFailure(artifacts: Pick<ArtifactStore, 'read'>, binDir: BinDir): Promise<string | undefined> {
  for (const key of [artifactKeys.failure(binDir), artifactKeys.formerOutcome(binDir)]) {
    const document = await artifacts.read(key);
    if (document !== undefined && !isResultOf(document, binDir)) return document;
  }
  return undefined;
}

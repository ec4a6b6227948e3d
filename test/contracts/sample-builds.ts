import { createHash, randomUUID } from 'node:crypto';
import type { Build, CancelledBuild, DoneBuild, ExpiringBuild, FailedBuild, QueuedBuild, RunningBuild } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { buildRequestSchema } from '#core/request/build-request.ts';
import type { BinDir, RequestHash } from '#core/request/request-hash.ts';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A hash that no other test uses, because contract suites also run on shared backends. */
export const freshHash = (): RequestHash => hex(randomUUID()) as RequestHash;
export const freshBinDir = (): BinDir => hex(randomUUID()) as BinDir;

const START = Date.parse('2026-11-01T00:00:00.000Z');

/** A time on the tests' own time line; no test depends on today. */
export const at = (minutes: number): Date => new Date(START + minutes * 60_000);
export const iso = (minutes: number): string => at(minutes).toISOString();

/** The schema, made once because it is expensive. */
const BuildRequest = buildRequestSchema();

export function sampleOrder(requestHash: RequestHash, packages: string[] = ['vim']): BuildOrder {
  return {
    requestHash,
    request: BuildRequest.parse({
      version: '24.10.2',
      target: 'x86/64',
      profile: 'generic',
      packages,
      packages_versions: Object.fromEntries(packages.map((name) => [name, '1'])),
      defaults: 'echo "Grüße, \\ \'quoted\' 🚀"\n\t# second line',
    }),
    versionPath: 'releases/24.10.2',
    arch: 'x86_64',
    revision: 'r28739-d9340319c6',
    imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: hex('imagebuilder') },
    inputs: hex('inputs'),
  };
}

export const queued = (hash: RequestHash, minutes = 0): QueuedBuild => ({
  hash,
  state: 'queued',
  enqueuedAt: iso(minutes),
  queuedAt: iso(minutes),
  attempt: 0,
  isPrivate: false,
  correlationId: 'contract',
});

const facts = ({ hash, enqueuedAt, attempt, isPrivate, correlationId }: Build) => ({ hash, enqueuedAt, attempt, isPrivate, correlationId });

/** The lease ends `leaseMinutes` after the start of the tests' time line. */
export const running = (build: Build, owner: string, leaseMinutes = 10): RunningBuild => ({
  ...facts(build),
  attempt: build.attempt + 1,
  state: 'building',
  startedAt: iso(1),
  step: 'init',
  lease: { owner, expiresAt: iso(leaseMinutes) },
  binDir: freshBinDir(),
});

export const requeued = (build: Build, minutes: number): QueuedBuild => ({ ...facts(build), state: 'queued', queuedAt: iso(minutes) });

export const done = (build: RunningBuild, expiresMinutes = 100): DoneBuild => ({
  ...facts(build),
  state: 'done',
  startedAt: build.startedAt,
  finishedAt: iso(5),
  binDir: build.binDir,
  expiresAt: iso(expiresMinutes),
});

export const failed = (build: Build, cached: boolean, expiresMinutes = 100): FailedBuild => ({
  ...facts(build),
  state: 'failed',
  finishedAt: iso(5),
  detail: 'Error: no space',
  cached,
  expiresAt: iso(expiresMinutes),
});

export const cancelled = (build: Build, expiresMinutes = 100): CancelledBuild => ({
  ...facts(build),
  state: 'cancelled',
  finishedAt: iso(5),
  expiresAt: iso(expiresMinutes),
});

export const expiring = (build: Build, owner: string, leaseMinutes = 10): ExpiringBuild => ({
  ...facts(build),
  state: 'expiring',
  lease: { owner, expiresAt: iso(leaseMinutes) },
});

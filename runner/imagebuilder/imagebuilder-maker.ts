import { join } from 'node:path';
import { fetchByNodeHttp, fetchPubliclyThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { BuildProgress, ImageMaker } from '#core/build/ports.ts';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { UnsafeArgumentError } from '#core/imagebuilder/commands.ts';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import type { Warning } from '#core/warning.ts';
import { hasCode } from '#lib/has-code.ts';
import { ownedName } from '#runner/files/owned-name.ts';
import { makeDirectory } from '#runner/files/put-file.ts';
import { markerOf } from '#runner/processes/build-marker.ts';
import { addsAbi } from './cache/adds-abi.ts';
import { fillImagebuilder, type ImagebuilderFacts } from './cache/fill-imagebuilder.ts';
import type { CachedImagebuilder } from './cache/imagebuilder-cache.ts';
import { takesImageJobs } from './cache/takes-image-jobs.ts';
import { checkOrder } from './check-order.ts';
import { placeWget } from './courier/wget-stand-in.ts';
import { checkListed, type DownloadOptions, type Listing } from './download/download.ts';
import { type OrderUpstream, upstreamOf } from './download/upstream-of.ts';
import { AbsentSumsFailure, UntrustedSumsFailure } from './download/upstream-sums.ts';
import { imageJobs } from './image-jobs.ts';
import { BUILD, type Machine, startMachine } from './machine.ts';
import { makeImages } from './make-images.ts';
import { DEFAULTS, type ImagebuilderMakerOptions, PACKAGE_DOWNLOADS } from './maker-options.ts';
import { buildLog } from './process/build-log.ts';
import { type MakeContext, withEvidence } from './process/run-make.ts';
import { type StepTimer, stepTimer } from './process/step-timer.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { type SandboxFacts, sandboxFacts } from './sandbox/sandbox-facts.ts';
import { buildPlace, makeBuildTree } from './tree/build-tree.ts';
import { isTrusted } from './tree/prepare-tree.ts';

/** An image maker that runs OpenWrt's ImageBuilder on this machine. */
export interface ImagebuilderMaker extends ImageMaker {
  /**
   * Resolves when the machine is ready for builds, which wait for it themselves; rejects with the reason when it never
   * will be.
   */
  ready(): Promise<SandboxFacts>;
  /**
   * Returns true once a build with the client's repositories ran without namespaces. It may have left processes that
   * cannot be found, so the runner takes no other build, ends, and is replaced.
   */
  mustRetire(): boolean;
  /** Returns the text of `/signing-key.pub`. */
  publicKey(): Promise<string>;
}

/** The limit on a build's log. Real logs have a few thousand lines; this stops builds that never end. */
const MAX_LOG_BYTES = 32 * 1024 * 1024;

export function imagebuilderMaker(options: ImagebuilderMakerOptions): ImagebuilderMaker {
  const machine = startMachine(options);
  machine.catch(() => undefined);
  const confirmed: Site['confirmed'] = new Map();
  let retired = false;
  let running = 0;

  return {
    ready: async () => {
      const { sandbox } = await machine;
      return sandboxFacts(sandbox);
    },
    mustRetire: () => retired,
    publicKey: async () => (await machine).key.publicKey,
    make: async (order, binDir, progress, signal) => {
      progress.enter('init');
      const ready = await machine;
      admit(order, ready, retired);
      if (!isTrusted(order) && !ready.sandbox.hasNamespaces) retired = true;
      await ready.disposal.relieve();
      const { slots } = ready.sandbox;
      const slot = await slots.take();
      running++;
      try {
        return await build(order, binDir, progress, signal, {
          ...ready,
          slot,
          options,
          confirmed,
          imageJobs: () => (ready.sandbox.hasOwnTmp ? imageJobs(ready.resources, running) : 1),
          hasSpareProcessor: () => ready.resources.processors > running,
        });
      } finally {
        running--;
        const left = await ready.sandbox.leave(slot);
        for (const leftover of left) options.onLeftover?.(leftover);
        // A build whose files are still there keeps its uid, so that no other build gets it.
        if (left.length === 0) slots.give(slot);
        ready.trimCaches(running === 0);
      }
    },
  };
}

function admit({ request }: BuildOrder, { sandbox }: Machine, retired: boolean): void {
  if (retired) throw new InfrastructureFailure('This runner has run a build with custom repositories and takes no other');
  if (Object.keys(request.repositories).length > 0 && !sandbox.allowsCustomRepositories)
    throw new BuildFailure('Custom repositories cannot be used here: this machine has no sandbox for their package scripts');
}

interface Site extends Machine {
  readonly slot: number;
  readonly options: ImagebuilderMakerOptions;
  /**
   * Returns how many images of one build are made at the same time, by what runs now. It is one where builds share `/tmp`
   * with the machine: make keeps the output of jobs there, whatever TMPDIR says, and ends or loses output where it cannot.
   */
  readonly imageJobs: () => number;
  /** Returns whether there are more processors than builds that run now. */
  readonly hasSpareProcessor: () => boolean;
  /** The time at which `sha256sums` was last seen to list each ImageBuilder, and the trust in its signature then. */
  readonly confirmed: Map<string, Listing & { readonly at: number }>;
}

async function build(order: BuildOrder, binDir: BinDir, progress: BuildProgress, signal: AbortSignal, site: Site): Promise<BuildOutput> {
  const timer = stepTimer();
  const steps: BuildProgress = {
    ...progress,
    enter: (step) => {
      timer.enter(step);
      progress.enter(step);
    },
  };
  timer.enter('init');
  const directory = join(site.builds, ownedName(BUILD));
  const logPath = join(directory, 'build.log');
  const dispose = () => site.disposal.remove(directory);
  try {
    checkOrder(order);
    await makeDirectory(directory, { mode: 0o711 });
    const log = buildLog(logPath, MAX_LOG_BYTES, progress.log);
    try {
      const output = await buildIn(directory, order, binDir, steps, signal, site, timer, log);
      return { ...output, logPath, durations: timer.durations(), dispose };
    } finally {
      await log.close();
    }
  } catch (error) {
    const isFull = hasCode(error, 'ENOSPC', 'EDQUOT');
    const isExplained = error instanceof BuildFailure || error instanceof InfrastructureFailure;
    // A failed build keeps only its log, until it is fetched.
    const keepsLog = isExplained && !isFull;
    if (keepsLog && !signal.aborted)
      await Promise.all(['tree', 'output', 'courier'].map((name) => site.disposal.remove(join(directory, name))));
    // The signal may have aborted while those were removed: then the caller gets its reason, and no log.
    if (!keepsLog || signal.aborted) await dispose();
    signal.throwIfAborted();
    if (isFull) {
      // The next attempt may need the space of ImageBuilders that are not in use.
      await site.imagebuilders.makeRoom(Number.POSITIVE_INFINITY).catch(() => undefined);
      throw new InfrastructureFailure('The disk is full', { cause: error });
    }
    // The order is forged, and would be refused again.
    if (error instanceof UnsafeArgumentError) throw new InfrastructureFailure(error.message, { cause: error, isFinal: true });
    throw withEvidence(error, { durations: timer.durations(), logPath, dispose });
  }
}

async function buildIn(
  directory: string,
  order: BuildOrder,
  binDir: BinDir,
  progress: BuildProgress,
  signal: AbortSignal,
  site: Site,
  timer: StepTimer,
  log: MakeContext['log'],
) {
  const { options, sandbox, slot } = site;
  const upstream = upstreamOf(order, options);
  const download = downloadOptions(options, upstream);
  const timeoutMs = options.timeoutMs ?? DEFAULTS.timeoutMs;
  const { maxOutputBytes = DEFAULTS.maxOutputBytes, maxDiskBytes = DEFAULTS.maxDiskBytes } = options;
  const make = { sandbox, directory, marker: markerOf(directory), log, timeoutMs, maxOutputBytes, maxDiskBytes };
  const { version, target, profile } = order.request;
  const names = `request hash ${order.requestHash}, correlation id ${progress.correlationId ?? 'unknown'}`;
  log.line(`Build of ${version} ${target} ${profile}, ${names}, sandbox ${sandbox.level}`);

  progress.enter('download_imagebuilder');
  const isCached = await site.imagebuilders.has(order.imagebuilder.sha256);
  const isConfirmed = !isCached || (await confirm(order, site, download, log.line, signal));
  const onDownloaded = (signedBy: string | undefined) => {
    admitImagebuilder(sandbox, signedBy !== undefined);
    progress.enter('unpack_imagebuilder');
  };
  const fill = (tree: string, filling: AbortSignal) =>
    inTime(filling, (bounded) => fillImagebuilder(order, tree, { ...make, download, slot, onDownloaded }, bounded));

  return site.imagebuilders.use(order.imagebuilder.sha256, fill, signal, async (cached: CachedImagebuilder) => {
    progress.enter('unpack_imagebuilder');
    const facts = cached.facts as ImagebuilderFacts;
    const isSigned = isSignedByKnown(order, facts, site, download);
    admitImagebuilder(sandbox, isSigned);
    if (facts.info.revision !== order.revision)
      throw new UpstreamChangedFailure(`Received incorrect version ${facts.info.revision} (requested ${order.revision})`);
    if (facts.info.target !== order.request.target)
      throw new InfrastructureFailure(`Received an ImageBuilder of ${facts.info.target} for ${order.request.target}`, { isFinal: true });
    await placeWget(cached.tree);
    const tree = join(directory, 'tree');
    const isPrepared = await site.prepared.take(cached, slot, tree);
    if (isPrepared) log.line('Tree made ahead');
    const place = isPrepared
      ? await buildPlace(cached.tree, tree, sandbox, slot)
      : await makeBuildTree(cached.tree, tree, sandbox, slot, signal);
    const takesJobs = facts.takesImageJobs ?? (await takesImageJobs(cached.tree));
    const next = preparesNext(order, site) ? site.prepared.prepare(cached, slot, site.imagebuilders.room) : undefined;
    const output = await makeImages(order, binDir, facts, progress, timer, {
      make: { ...make, place, signal, deadline: performance.now() + timeoutMs },
      packages: site.packages,
      imageJobs: takesJobs ? site.imageJobs : () => 1,
      key: mayHaveKey(order, isSigned, log.line) ? site.key : undefined,
      upstream,
      destination: join(directory, 'output'),
      ...(options.outputLimits && { outputLimits: options.outputLimits }),
      courier: { directory: join(directory, 'courier'), lists: site.lists, ...download, ...packageDownloads(options) },
    }).finally(() => next?.stop());
    const made = { ...output, ...(facts.packageManager === 'apk' && { addsAbi: await addsAbi(cached.tree) }) };
    return isConfirmed ? made : { ...made, warnings: [...(made.warnings ?? []), UPSTREAM_UNREACHABLE] };
  });
}

/**
 * Returns whether the tree of the next build is copied while this one runs: where a processor is idle, and where no build
 * can reach files of ours.
 */
const preparesNext = (order: BuildOrder, { sandbox, hasSpareProcessor }: Site): boolean =>
  hasSpareProcessor() && sandbox.level !== 'plain' && (isTrusted(order) || sandbox.hasNamespaces);

/**
 * The images are right all the same: their ImageBuilder and indexes have the digests that the request hash was made
 * over.
 */
const UPSTREAM_UNREACHABLE: Warning = {
  code: 'upstream_unreachable',
  severity: 'note',
  detail: 'Upstream did not answer when this image was made. It was made from what the server had downloaded and verified before.',
};

/**
 * Throws for an ImageBuilder without the signature of a known key where its programs and scripts would run with our own
 * rights.
 */
function admitImagebuilder({ level }: Sandbox, isSigned: boolean): void {
  if (level !== 'plain' || isSigned) return;
  throw new InfrastructureFailure(
    'This machine has no sandbox, and the ImageBuilder carries no good signature of a known key: it is not run (see npm run doctor)',
    { isFinal: true },
  );
}

/** Returns the name of an ImageBuilder among the confirmed ones: no distribution's key confirms it for another one. */
const confirmedAs = ({ request, imagebuilder }: BuildOrder): string => `${request.distro} ${imagebuilder.sha256}`;

/** Returns whether OpenWrt or a key of the operator has signed the ImageBuilder. */
function isSignedByKnown(order: BuildOrder, facts: ImagebuilderFacts, { confirmed }: Site, { keys }: DownloadOptions): boolean {
  const signers = [facts.signedBy, confirmed.get(confirmedAs(order))?.signedBy];
  return keys.some(({ id }) => signers.includes(id));
}

/**
 * Returns whether the server's signing key may be in the build's tree, where every program of the ImageBuilder and
 * every package script can read it. A known key must have signed the ImageBuilder, and all its packages must come from
 * OpenWrt's feeds.
 */
function mayHaveKey(order: BuildOrder, isSigned: boolean, log: (line: string) => void): boolean {
  if (!isSigned) log('The ImageBuilder carries no good signature of a known key: its images are signed with a key of its own');
  return isSigned && isTrusted(order);
}

/** The time limit on the download of a tarball of some hundred megabytes. A slower connection is unusable. */
const FILL_TIMEOUT_MS = 1_800_000;

/** Limits the time for downloading and unpacking an ImageBuilder. `JOB_TIMEOUT` limits make only. */
async function inTime<T>(signal: AbortSignal, act: (bounded: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = AbortSignal.timeout(FILL_TIMEOUT_MS);
  try {
    return await act(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (!timeout.aborted || signal.aborted) throw error;
    throw new InfrastructureFailure('The ImageBuilder could not be downloaded and unpacked within half an hour', { cause: error });
  }
}

function downloadOptions(options: ImagebuilderMakerOptions, { upstreamUrl, keys }: OrderUpstream): DownloadOptions {
  return {
    upstreamUrl,
    fetch: options.fetch ?? fetchByNodeHttp,
    fetchPublicly: options.fetchPublicly ?? fetchPubliclyThrough({ direct: [] }),
    verify: options.verify ?? DEFAULTS.verify,
    keys,
    attempts: options.downloadAttempts ?? DEFAULTS.downloadAttempts,
    backoffMs: options.downloadBackoffMs ?? DEFAULTS.downloadBackoffMs,
    stallMs: options.stallMs ?? DEFAULTS.stallMs,
  };
}

/** Returns the limits on each download of a build. */
const packageDownloads = ({ downloadAttempts, stallMs }: ImagebuilderMakerOptions) => ({
  attempts: downloadAttempts ?? PACKAGE_DOWNLOADS.attempts,
  stallMs: stallMs ?? PACKAGE_DOWNLOADS.stallMs,
});

/**
 * Checks that upstream still lists a cached ImageBuilder: a snapshot may have moved on. The build goes on when upstream
 * has no list, and when it does not answer; only then this returns false.
 */
async function confirm(
  order: BuildOrder,
  { confirmed, options }: Site,
  download: DownloadOptions,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const checkedAt = confirmed.get(confirmedAs(order))?.at ?? Number.NEGATIVE_INFINITY;
  if (performance.now() - checkedAt < (options.recheckMs ?? DEFAULTS.recheckMs)) return true;
  try {
    const listing = await checkListed(order, download, log, signal);
    confirmed.set(confirmedAs(order), { ...listing, at: performance.now() });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UntrustedSumsFailure || (error instanceof InfrastructureFailure && error.isFinal)) throw error;
    log(
      `sha256sums cannot be checked now (${error instanceof Error ? error.message : error}); going on with the ImageBuilder in the cache`,
    );
    return error instanceof AbsentSumsFailure;
  }
}

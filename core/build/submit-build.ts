import { latestPlausible } from '#core/clock-skew.ts';
import { AsuError, BuildNotFoundError, OutdatedVersionsError, UnknownPackagesError } from '#core/errors.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import type { Forecast } from '#core/request/forecast/forecast.ts';
import { forecastPackages } from '#core/request/forecast/forecast-packages.ts';
import type { ForecastRequest } from '#core/request/forecast/forecast-request.ts';
import { forecastWarnings, impossibleWarning } from '#core/request/forecast/forecast-warnings.ts';
import { missingImagebuilder } from '#core/request/missing-imagebuilder.ts';
import { type PrepareBuildDeps, type PrepareBuildOptions, prepareBuild } from '#core/request/prepare-build.ts';
import type { PreparedBuild } from '#core/request/prepared-build.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import type { InTurn } from '#lib/in-turn.ts';
import { artifactKeys } from './artifact-keys.ts';
import { type AssertRoomDeps, assertRoom } from './assert-room.ts';
import {
  type Build,
  type ExpiringBuild,
  factsOf,
  isReplaceable,
  isRetryable,
  isStill,
  mayHaveFoundChange,
  type QueuedBuild,
  rebuildPauseLeft,
} from './build.ts';
import { type BuildOrder, buildOrderOf } from './build-order.ts';
import { type BuildStatusDeps, type BuildView, timeOf, viewBuild } from './build-status.ts';
import { impossiblePackages } from './impossible-packages.ts';
import { leaseFor } from './lease.ts';
import type { BuildQueue, ClientKey, OutdatedInputs } from './ports.ts';
import { forLog, withoutText } from './private-build-error.ts';
import type { IsWhole } from './result-integrity.ts';

export interface SubmitBuildDeps extends PrepareBuildDeps, BuildStatusDeps, AssertRoomDeps {
  readonly queue: BuildQueue;
  /**
   * Begins the builds of this process one after the other, so that each is counted before the next. Absent: of many at
   * once, a few too many begin.
   */
  readonly inTurn?: InTurn;
  /**
   * Called before a finished build is answered, where looking is cheap: a build whose files were deleted is built
   * again.
   */
  readonly isWhole?: IsWhole;
  /** What runners found outdated. Absent: the catalogue learns it in another way. */
  readonly outdatedInputs?: Pick<OutdatedInputs, 'foundAt'>;
  /** Whether a request is refused whose packages cannot be installed. Otherwise it is built with a warning. Default: yes. */
  readonly refusesImpossible?: () => boolean;
  /** Called when a message could not be sent; the sweeper sends it later. */
  readonly onSendFailure?: (error: unknown, build: QueuedBuild) => void;
}

/**
 * Lets a client begin a build, or throws why it may not. Returns a function to call when no build was begun after all.
 */
export type AdmitBuild = () => () => void;

export interface SubmitBuildOptions {
  readonly correlationId: string;
  readonly skipResolution?: boolean;
  /** Called before a build begins, never for a build that is known. */
  readonly admit?: AdmitBuild | undefined;
  /** Returns the client to which the build counts; called when it begins. */
  readonly clientKey?: () => ClientKey | undefined;
}

/**
 * `new`: this request started the build; `joined`: the build waits or runs already; `hit`: it has ended and the end is
 * remembered.
 */
export type SubmitOutcome = 'new' | 'joined' | 'hit';

export interface Submitted {
  /** The build as the client sees it. */
  readonly view: BuildView;
  readonly outcome: SubmitOutcome;
  readonly prepared: PreparedBuild;
  /** What the server knows of the image. Absent for a build that was known: nothing had to be forecast. */
  readonly forecast?: Forecast;
}

/** Keeps rows small. Attempts that are forgotten here are removed by the backstop for old objects that no row names. */
const MAX_PREVIOUS_BIN_DIRS = 5;

/**
 * Accepts a request: validates, resolves and identifies it, and makes sure that exactly one build of it waits, runs or
 * is remembered (I1). An accepted build is never lost: if its message cannot be sent, the sweeper sends it (I2).
 */
export const submitBuild = (deps: SubmitBuildDeps, request: BuildRequest, options: SubmitBuildOptions): Promise<Submitted> =>
  acceptRequest(deps, request, options).catch(withoutText(request));

async function acceptRequest(deps: SubmitBuildDeps, request: BuildRequest, options: SubmitBuildOptions, fresh = false): Promise<Submitted> {
  const { skipResolution = false } = options;
  const { prepared, known } = await identify(deps, request, { skipResolution, fresh });
  const remembered = await answerOf(deps, prepared, known);
  if (remembered !== undefined) return remembered;

  const { imagebuilder } = prepared.valid.record;
  if (imagebuilder === undefined) throw missingImagebuilder(prepared);
  const forecast = await forecastPackages(deps, prepared, { fresh });
  const isImpossible = forecast.verdict === 'no';
  // Upstream may have what is needed by now, so it is asked once more first.
  if (isImpossible && !fresh) return acceptRequest(deps, request, options, true);
  if (isImpossible && deps.refusesImpossible?.() !== false) throw impossiblePackages(forecast);
  const made = { prepared, forecast };
  const warnings = [...forecastWarnings(made), ...(isImpossible ? [impossibleWarning(made)] : [])];
  const begin = () => beginBuild(deps, { prepared: { ...prepared, warnings }, forecast }, known, imagebuilder, options);
  return deps.inTurn === undefined ? begin() : deps.inTurn(begin);
}

/** Begins the build if its client may, unless another request has begun it meanwhile. */
async function beginBuild(
  deps: SubmitBuildDeps,
  { prepared, forecast }: ForecastRequest,
  known: Build | undefined,
  imagebuilder: BuildOrder['imagebuilder'],
  { correlationId, admit, clientKey }: SubmitBuildOptions,
): Promise<Submitted> {
  const client = clientKey?.();
  let takeBack: (() => void) | undefined;
  try {
    await assertRoom(deps, client);
    takeBack = admit?.();
  } catch (error) {
    // A store that cannot be used is not asked again: the client would wait for it twice.
    if (!isRefusal(error)) throw error;
    // Where many equal requests came at once, another may have begun the build by now.
    const joined = await answerOf(deps, prepared, await deps.builds.get(prepared.hash));
    if (joined !== undefined) return joined;
    throw error;
  }
  const { won, current } = await claim(deps, { prepared, forecast }, known, imagebuilder, correlationId, client).catch((error) => {
    takeBack?.();
    throw error;
  });
  if (!won) {
    takeBack?.();
    return { view: await viewBuild(deps, current), outcome: outcomeOf(current), prepared };
  }
  const sent = current.state === 'queued' ? await send(deps, current) : current;
  // While the message was being sent, this build may have ended and another request have begun the next one.
  const isOurs = sent.ticket === current.ticket;
  return { view: await viewBuild(deps, sent), outcome: isOurs ? 'new' : outcomeOf(sent), prepared, forecast };
}

/** Returns whether the client may begin no build now: it has its share, its rate is used up, or the queue is full. */
const isRefusal = (error: unknown): boolean => error instanceof AsuError && error.status === 429;

/**
 * Returns the prepared request, and the build that is known by its hash. If a build has found that upstream is no longer
 * what the request was prepared for, both are about upstream as it is now.
 */
async function identify(
  deps: SubmitBuildDeps,
  request: BuildRequest,
  options: PrepareBuildOptions,
): Promise<{ prepared: PreparedBuild; known: Build | undefined }> {
  const prepared = await prepareBuild(deps, request, options);
  if (prepared.missing.length > 0) throw new UnknownPackagesError(prepared.missing, prepared.suggestions);
  if (prepared.outdated.length > 0) throw new OutdatedVersionsError(prepared.outdated);
  if (options.fresh) return { prepared, known: await deps.builds.get(prepared.hash) };
  const [known, outdatedAt] = await Promise.all([deps.builds.get(prepared.hash), outdatedSince(deps, prepared)]);
  const changedAt = known !== undefined && mayHaveFoundChange(known) ? new Date(known.finishedAt) : outdatedAt;
  return changedAt === undefined ? { prepared, known } : identify(deps, request, { ...options, fresh: true, changedAt });
}

/** Returns when a build found the inputs outdated, unless upstream has surely been read since and still had them. */
async function outdatedSince({ outdatedInputs }: SubmitBuildDeps, { inputs, valid }: PreparedBuild): Promise<Date | undefined> {
  const foundAt = await outdatedInputs?.foundAt(inputs);
  if (foundAt === undefined) return undefined;
  const isReadSince = Date.parse(valid.record.fetchedAt) >= latestPlausible(foundAt).getTime();
  return isReadSince ? undefined : foundAt;
}

/** Returns the answer from the known build; `undefined` if it does not count any more. */
async function answerOf(deps: SubmitBuildDeps, prepared: PreparedBuild, known: Build | undefined): Promise<Submitted | undefined> {
  if (known === undefined || isToBeBuilt(deps, known)) return undefined;
  const view = await viewBuild(deps, known).catch((error) => unlessGone(known, error));
  if (view?.state === 'done' && (await deps.isWhole?.(view.build.binDir, view.document)) === false) return undefined;
  return view && { view, outcome: outcomeOf(known), prepared };
}

function isToBeBuilt(deps: SubmitBuildDeps, known: Build): boolean {
  const time = timeOf(deps, known);
  if (!isReplaceable(known, time)) return false;
  if (!isRetryable(known) || known.expiresAt <= time.toISOString()) return true;
  return rebuildPauseLeft(known, time, deps.rebuildPauseSeconds?.()) === 0;
}

/** How often a process tries to replace a build that others change at the same time. */
const MAX_CLAIMS = 10;

/** Claims the hash. Of all processes that claim it at once, one wins; the others get the winner's build. */
async function claim(
  deps: SubmitBuildDeps,
  { prepared, forecast }: ForecastRequest,
  known: Build | undefined,
  imagebuilder: BuildOrder['imagebuilder'],
  correlationId: string,
  client: ClientKey | undefined,
): Promise<{ won: boolean; current: Build }> {
  for (let before = known, tries = 1; ; tries++) {
    const over = before && (await vacate(deps, before));
    const previousBinDirs = over === undefined ? [] : attemptsOf(over).slice(-MAX_PREVIOUS_BIN_DIRS);
    const now = deps.now();
    const build: QueuedBuild = {
      state: 'queued',
      hash: prepared.hash,
      enqueuedAt: now.toISOString(),
      queuedAt: now.toISOString(),
      attempt: 0,
      isPrivate: Boolean(prepared.resolved.defaults),
      correlationId,
      ...(previousBinDirs.length > 0 && { previousBinDirs }),
    };
    const claimed = await deps.builds
      .claim(build, buildOrderOf(prepared, imagebuilder, forecast), now, { client, over })
      .catch(async (error) => {
        // The claim may have succeeded, and its answer been lost.
        const current = await deps.builds.get(build.hash).catch(() => undefined);
        if (current === undefined || !isStill(build, current) || current.correlationId !== correlationId) throw error;
        return { won: true, current };
      });
    // A build may have ended and expired after this request had looked for it.
    if (claimed.won || tries === MAX_CLAIMS || !isToBeBuilt(deps, claimed.current)) return claimed;
    before = claimed.current;
  }
}

/** Swallows the error of a finished build whose stored answer was deleted: it is built again. */
function unlessGone(build: Build, error: unknown): undefined {
  if (!(error instanceof BuildNotFoundError) || build.state !== 'done') throw error;
}

/**
 * Makes room for a new build of the same hash: the old answer goes at once, and with it the attempt's records. Its
 * files stay for a while, since caches may still name them. Returns the row to replace, with the attempts that the new
 * build has to remember for the sweeper; `undefined` if there is none any more, or another build.
 */
async function vacate({ builds, artifacts, now }: SubmitBuildDeps, known: Build): Promise<ExpiringBuild | undefined> {
  const leaving: ExpiringBuild = {
    ...factsOf(known),
    state: 'expiring',
    ...('binDir' in known && known.binDir !== undefined && { binDir: known.binDir }),
    lease: leaseFor('asked for again', now(), 0),
  };
  const { current } = known.state === 'expiring' ? { current: known } : await builds.transition(known, leaving);
  if (current?.state !== 'expiring') return undefined;
  // The records go first: the answer could be published from them again.
  if (current.binDir !== undefined) await artifacts.remove(artifactKeys.records(current.binDir));
  await artifacts.remove(artifactKeys.result(current.hash));
  return current;
}

const attemptsOf = ({ previousBinDirs = [], binDir }: ExpiringBuild): readonly BinDir[] => [
  ...previousBinDirs,
  ...(binDir === undefined ? [] : [binDir]),
];

/** Sends a queued build's message and notes that it was sent; a failure is left to the sweeper. */
async function send({ builds, queue, now, onSendFailure }: SubmitBuildDeps, build: QueuedBuild): Promise<Build> {
  try {
    await queue.send({ hash: build.hash, correlationId: build.correlationId });
    const { current } = await builds.transition(build, { ...build, sentAt: now().toISOString() });
    return current ?? build;
  } catch (error) {
    onSendFailure?.(forLog(error, build), build);
    return build;
  }
}

const outcomeOf = ({ state }: Build): SubmitOutcome => (state === 'queued' || state === 'building' ? 'joined' : 'hit');

import { setTimeout as delay } from 'node:timers/promises';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';
import { checkFiles, readOver, UnansweredError } from './check-files.ts';
import { type Client, client } from './client.ts';
import { type Disturbance, disturbances } from './disturbances.ts';
import type { Journal } from './journal.ts';
import { type LogWatch, logWatch } from './log-watch.ts';
import { type Promises, promises, type SeenBuild } from './promises.ts';
import type { ChaosRequest } from './requests.ts';
import type { SteppedClock } from './stepped-clock.ts';
import { SHORTEST_LIFE_MS, type System, type SystemHooks } from './system.ts';
import type { Summary, Totals } from './totals.ts';
import { visits } from './visits.ts';

export interface ChaosOptions {
  readonly builds: number;
  readonly seed: number;
  readonly upstream: DemoUpstreamServer;
  readonly clock: SteppedClock;
  readonly journal: Journal;
  /** Milliseconds since the run began, by a clock that is never set. */
  readonly time: () => number;
  /** Aborts when the run is to end at once. */
  readonly stop: AbortSignal;
  readonly print: (text: string) => void;
  /** Called with each line of the log of the system, to keep it. */
  readonly keepLine: (line: string) => void;
}

/** Clients at a time. Some builds always wait. */
const CLIENTS = 14;
const PROGRESS_EVERY_MS = 5_000;
/**
 * How long no build may end while some are open. The time of the whole is not limited: a machine that does much else is
 * slow and breaks no promise.
 */
const STALLED_MS = 300_000;
/** For how long the files of a result are there after it was answered: caches may keep the answer for a minute. */
const FILES_STAY_MS = 45_000;
const POLL_MS = 100;
/** The longest wait for builds between two stops. */
const STOP_EVERY_MS = 20_000;

/** Runs the whole: clients and disturbances until enough builds have ended, then the checks of what is left. */
export async function runChaos(options: ChaosOptions, startSystem: (hooks: SystemHooks) => System): Promise<Summary> {
  const { builds, journal, time, stop, print, keepLine } = options;
  const totals: Totals = { kills: 0, faults: 0, files: 0 };
  const seen = promises({ journal, time, shortestLifeMs: SHORTEST_LIFE_MS });
  const stops: number[] = [];
  const log = logWatch({ journal, onReturned: () => seen.disturbed('queue') });
  const system = startSystem({
    onLine: (line) => {
      keepLine(line);
      log.line(line);
    },
  });
  const files = resultChecks(options, system, totals);
  const asking = client({ url: () => system.url, promises: seen, journal, time, stop, onResult: files.check });
  const summary = (): Summary => ({ ...totals, builds: seen.builds().length, broken: journal.brokenPromises.length });
  const progress = setInterval(() => {
    const { kills, faults, broken } = summary();
    const seconds = String(Math.round(time() / 1000)).padStart(4);
    print(
      `${seconds} s: ${endedOf(seen)} of ${builds} builds have ended, ${seen.open().length} are open, ${kills} kills, ${faults} faults, ${broken} broken promises`,
    );
    seen.judgePlaces();
  }, PROGRESS_EVERY_MS);
  try {
    await system.start();
    await disturbedClients(options, { system, seen, asking, log, totals, stops });
    if (stop.aborted) return summary();
    await letAllEnd(options, { seen, asking });
    if (stop.aborted) return summary();
    await checkEnd(options, { system, seen, asking, files, stops });
    return summary();
  } catch (error) {
    if (stop.aborted) return summary();
    throw error;
  } finally {
    clearInterval(progress);
    await system.close();
  }
}

interface Parts {
  readonly system: System;
  readonly seen: Promises;
  readonly asking: Client;
  readonly log: LogWatch;
  readonly totals: Totals;
  /** When processes were stopped or started again, by the machine's time of day. */
  readonly stops: number[];
}

/** Lets clients ask while everything goes wrong, until enough builds have ended. */
async function disturbedClients({ builds, seed, time, stop, journal, ...options }: ChaosOptions, parts: Parts): Promise<void> {
  const { seen, asking } = parts;
  const over = new AbortController();
  const ending = AbortSignal.any([stop, over.signal]);
  const planned = visits(seed);
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!ending.aborted) await asking.visit(planned.next().value, ending);
  });
  const enough = (async () => {
    const isStalled = stallWatch(seen, time);
    while (!ending.aborted && endedOf(seen) < builds && !isStalled()) await delay(POLL_MS);
    if (!ending.aborted && endedOf(seen) < builds) reportStall(journal);
    over.abort();
  })();
  const disturbing = disturb({ seed, journal, ...options }, parts, ending);
  try {
    await Promise.all([...clients, enough, disturbing]);
  } finally {
    over.abort();
    options.upstream.faults.clear();
  }
}

/** Lets one thing after another go wrong. Every stop ends with a server that runs. */
async function disturb(
  { seed, journal, upstream, clock }: Pick<ChaosOptions, 'seed' | 'journal' | 'upstream' | 'clock'>,
  { system, seen, log, totals, stops }: Parts,
  ending: AbortSignal,
): Promise<void> {
  const wait = (ms: number) => delay(ms, undefined, { signal: ending }).catch(() => undefined);
  let endedAtStop = 0;
  const waitForBuilds = async (count: number) => {
    const deadline = performance.now() + STOP_EVERY_MS;
    while (endedOf(seen) - endedAtStop < count && performance.now() < deadline && !ending.aborted) await wait(POLL_MS);
  };
  const restart = async (options: Parameters<System['restart']>[0]) => {
    stops.push(Date.now());
    seen.disturbed('queue');
    await system.restart(options);
    seen.disturbed('queue');
    stops.push(Date.now());
    endedAtStop = endedOf(seen);
  };
  let faultsEnd: ReturnType<typeof setTimeout> | undefined;
  for (const disturbance of disturbances(seed)) {
    await wait(disturbance.afterMs);
    if (ending.aborted) break;
    await apply(disturbance);
  }
  clearTimeout(faultsEnd);

  async function apply(disturbance: Disturbance): Promise<void> {
    switch (disturbance.kind) {
      case 'upstream': {
        totals.faults += 1;
        journal.note(`upstream: ${JSON.stringify(disturbance.fault)} for ${disturbance.files}, ${disturbance.times} times`);
        upstream.faults.add(new RegExp(disturbance.files), disturbance.fault, { times: disturbance.times });
        clearTimeout(faultsEnd);
        faultsEnd = setTimeout(() => upstream.faults.clear(), disturbance.lastsMs);
        return;
      }
      case 'clock':
        totals.faults += 1;
        clock.step(disturbance.seconds);
        seen.disturbed('clock');
        journal.note(`the clock is set by ${disturbance.seconds} s, and is now ${clock.offsetSeconds()} s ahead`);
        return;
      case 'kill-starting': {
        await waitForBuilds(disturbance.afterBuilds);
        const name = await system.kill(disturbance.pick);
        log.stopped();
        journal.note(`${name} killed, and killed again while it starts`);
        totals.kills += 2;
        return restart({ killAfterMs: disturbance.startedMs });
      }
      default: {
        await waitForBuilds(disturbance.afterBuilds);
        await log.moment(disturbance.moment, ending);
        await wait(disturbance.delayMs);
        totals.kills += 1;
        if (disturbance.kind === 'kill') journal.note(`${await system.kill(disturbance.pick)} killed (${disturbance.moment})`);
        else {
          const { name, faults } = await system.terminate(disturbance.pick);
          journal.note(`${name} stopped with SIGTERM (${disturbance.moment})`);
          for (const text of faults) journal.broken({ promise: 'SIGTERM', text });
        }
        log.stopped();
        await wait(disturbance.downMs);
        return restart({ emptiesCache: disturbance.emptiesCache });
      }
    }
  }
}

const endedOf = (seen: Promises): number => seen.builds().length - seen.open().length;

/** Returns what says whether no build has ended for too long. */
function stallWatch(seen: Promises, time: () => number): () => boolean {
  let last = { ended: endedOf(seen), at: time() };
  return () => {
    if (endedOf(seen) !== last.ended || seen.open().length === 0) last = { ended: endedOf(seen), at: time() };
    return time() - last.at > STALLED_MS;
  };
}

const reportStall = (journal: Journal) =>
  journal.broken({ promise: 'I2', text: `no build has ended for ${STALLED_MS / 1000} s, and some are open` });

/** Waits until every accepted build has ended, on a healthy machine. */
async function letAllEnd({ time, stop, journal, print }: ChaosOptions, { seen, asking }: Pick<Parts, 'seen' | 'asking'>): Promise<void> {
  print(`No more faults. ${seen.open().length} builds have not ended.`);
  const isStalled = stallWatch(seen, time);
  while (seen.open().length > 0 && !stop.aborted && !isStalled()) {
    for (const { request, hash } of seen.open()) await asking.ask(request, hash);
    await delay(POLL_MS);
  }
  seen.judgePlaces(true);
  if (stop.aborted) return;
  for (const { hash, state, enqueuedAt } of seen.open())
    journal.broken({ promise: 'I2', hash, text: `the build accepted at ${enqueuedAt} is still ${state} long after the last fault` });
}

/** Checks that new builds succeed, that a stop leaves nothing, and that everything stored is as it is promised. */
async function checkEnd(
  { journal, stop, print }: ChaosOptions,
  { system, seen, asking, files, stops }: Pick<Parts, 'system' | 'seen' | 'asking' | 'stops'> & { files: ReturnType<typeof resultChecks> },
): Promise<void> {
  print('Stopping the server in the middle of two builds.');
  const last = await Promise.all(LAST_REQUESTS.map(async (request) => ({ request, build: await asking.post(request, stop) })));
  for (const { request, build } of last)
    while (build?.state === 'queued' && !stop.aborted) {
      await asking.ask(request, build.hash);
      await delay(POLL_MS);
    }
  for (const text of await system.stopBuilding()) journal.broken({ promise: 'SIGTERM', text });
  seen.disturbed('queue');
  await system.restart();
  for (const { request, build } of last) {
    while (build !== undefined && (build.state === 'queued' || build.state === 'building') && !stop.aborted) {
      await asking.ask(request, build.hash);
      await delay(POLL_MS);
    }
    if (build?.state !== 'done' && !stop.aborted)
      journal.broken({ promise: 'I2', hash: build?.hash, text: `a build on a healthy machine is ${build?.state ?? 'not accepted'}` });
  }
  print('Reading every file of every result again.');
  for (const build of seen.builds()) if (build.state === 'done' && build.goneAt === undefined) await files.checkAgain(build, asking);
  if (stop.aborted) return;
  for (const text of await system.stopBuilding()) journal.broken({ promise: 'SIGTERM', text });
  for (const fault of await system.checkStored(stops)) journal.broken(fault);
}

const LAST_REQUESTS: readonly ChaosRequest[] = [
  ['slow-2', 'vim'],
  ['slow-2', 'nano'],
].map((packages, at) => ({
  number: -1 - at,
  kind: 'slow',
  body: { version: '24.10.2', target: 'ath79/generic', profile: 'test', packages },
}));

/** Reads the files of results, each once while the run goes on, and once more at its end. */
function resultChecks({ journal, time, stop }: ChaosOptions, system: System, totals: Totals) {
  const read = readOver(() => system.url);
  const checked = new Map<string, Promise<void>>();
  const checkNow = async (build: SeenBuild, body: Readonly<Record<string, unknown>>) => {
    const answeredAt = time();
    for (;;)
      try {
        const { files, faults } = await checkFiles(read, body);
        totals.files += files;
        if (time() - answeredAt < FILES_STAY_MS) for (const text of faults) journal.broken({ promise: 'I3', hash: build.hash, text });
        return;
      } catch (error) {
        if (!(error instanceof UnansweredError) || stop.aborted || time() - answeredAt > FILES_STAY_MS) return;
        await delay(POLL_MS);
      }
  };
  return {
    check: (build: SeenBuild, body: Readonly<Record<string, unknown>>): Promise<void> => {
      const binDir = String(body['bin_dir']);
      const known = checked.get(binDir) ?? checkNow(build, body);
      checked.set(binDir, known);
      return known;
    },
    /** Asks for the result once more, and reads all its files if it is still there. */
    checkAgain: async (build: SeenBuild, asking: Client): Promise<void> => {
      const answer = await asking.ask(build.request, build.hash);
      if (answer?.status === 200) await checkNow(build, answer.body);
    },
  };
}

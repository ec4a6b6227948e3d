import type { BuildQueue, BuildSweep, BuildTable, QueuePositions } from '#core/build/ports.ts';
import type { TimesToLive } from '#core/build/times-to-live.ts';
import type { Statistics } from '#core/statistics/ports.ts';
import type { ArtifactStore, RecordStore } from '#core/stores.ts';
import { BrokenPromise } from './broken-promise.ts';
import { type FaultPlan, faultPlan } from './faults.ts';
import type { SimulatedDisk } from './image-maker.ts';
import { type MemoryArtifactStore, memoryArtifactStore } from './ports/memory-artifact-store.ts';
import { memoryBuildSweep, memoryQueuePositions } from './ports/memory-build-lists.ts';
import { memoryBuildQueue } from './ports/memory-build-queue.ts';
import { type MemoryBuildTable, memoryBuildTable, type RowWrite } from './ports/memory-build-table.ts';
import { memoryRecordStore } from './ports/memory-record-store.ts';
import { type MemoryStatistics, memoryStatistics } from './ports/memory-statistics.ts';
import { type Caller, type PortCall, type ProcessOptions, type SimulatedProcess, simulatedProcess } from './process.ts';
import { drawn, numberOf, type Random, randomOf } from './random.ts';
import { type Scheduler, scheduler } from './scheduler.ts';
import { type Trace, traceOf } from './trace.ts';

/** The ports that processes use. With real stores they are those, beside the ones in memory. */
export interface WorldPorts {
  readonly builds: BuildTable;
  /** The same table for readers whose reads may be behind. */
  readonly buildsBehind: BuildTable;
  /** Returns the places in the queue for one process: each reads them by itself, and they may be behind. */
  readonly positionsOfProcess: () => QueuePositions;
  readonly sweep: BuildSweep;
  readonly queue: BuildQueue;
  /** The messages that are still in the queue, visible or not. */
  readonly messagesLeft: () => number;
  readonly artifacts: ArtifactStore;
  readonly records: RecordStore;
  readonly statistics: Statistics;
  readonly disk: SimulatedDisk;
}

/** The system as it really is, in memory: what promises are checked against. */
export interface Truth {
  readonly table: MemoryBuildTable;
  readonly artifacts: MemoryArtifactStore;
  readonly statistics: MemoryStatistics;
}

export interface World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly faults: FaultPlan;
  readonly trace: Trace;
  readonly truth: Truth;
  readonly ports: WorldPorts;
  readonly timesToLive: TimesToLive;
  readonly leaseSeconds: number;
  /** When faults end. What follows is without any. */
  readonly faultsEndMs: number;
  /** How often each call was made, and how many of them met a fault. */
  readonly calls: ReadonlyMap<string, CallCount>;
  randomOf(name: string): Random;
  /** Starts a process. All processes of one name are on one machine, and have its clock. */
  spawn(options: Omit<ProcessOptions, 'skewMs'> & { readonly machine: string }): SimulatedProcess;
  /** Who made the call that is being done. */
  caller(): Caller;
  isFaulty(): boolean;
  /** Notes that a promise is broken; the first one ends the simulation. */
  breaks(promise: string, what: string): void;
  broken(): BrokenPromise | undefined;
  onWrite(call: (write: RowWrite) => void): void;
  onPut(call: (key: string, text: string, before: string | undefined) => void): void;
  onCall(call: (portCall: PortCall) => void): void;
  /** Whether rows or objects have changed since the last call. */
  takeChanged(): boolean;
}

export interface CallCount {
  calls: number;
  faults: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly only?: ReadonlySet<string> | undefined;
  readonly isTraced?: boolean;
  /** Returns the ports over real stores, whose answers are compared with those in memory. */
  readonly over?: (inMemory: WorldPorts, parts: RealStoreParts) => WorldPorts;
}

export interface RealStoreParts {
  /** The true time in milliseconds since the start. */
  readonly time: () => number;
  /** Called when a real store answers something else than the store in memory. */
  readonly differs: (what: string) => void;
}

/** The clocks of machines are up to so much wrong (core/clock-skew.ts allows a minute between two). */
const SKEW_MS = 30_000;
/** Reads of rows and places in the queue may be so much behind, and lists so much. */
const BEHIND_MS = 1_000;
const LISTS_BEHIND_MS = 5_000;
const FAULTS_END_MS = 600_000;
const LEASE_SECONDS = 60;
/**
 * Results live for so long in a seed: some for so short a time that they are hardly published (publish-result.ts), and
 * all expire within a simulation.
 */
const SHORTEST_LIFE_SECONDS = 170;
const LONGEST_LIFE_SECONDS = 480;
const FAILURE_SECONDS = 120;

export function makeWorld({ seed, only, isTraced = false, over }: WorldOptions): World {
  const time = scheduler(randomOf(seed, 'order'));
  const now = () => time.time();
  const faults = faultPlan({ seed, untilMs: FAULTS_END_MS, only });
  const trace = traceOf(isTraced);
  const calls = new Map<string, CallCount>();
  const writeCalls: ((write: RowWrite) => void)[] = [];
  const putCalls: ((key: string, text: string, before: string | undefined) => void)[] = [];
  const callCalls: ((portCall: PortCall) => void)[] = [];
  const random = randomOf(seed, 'ports');
  const places = randomOf(seed, 'positions');
  const isFaulty = () => now() < FAULTS_END_MS;
  let caller: Caller = { processName: 'the simulation', calledMs: 0 };
  let isChanged = true;
  let broken: BrokenPromise | undefined;

  const onWrite = (write: RowWrite) => {
    isChanged = true;
    for (const call of writeCalls) call(write);
  };
  const onPut = (key: string, text: string, before: string | undefined) => {
    isChanged = true;
    for (const call of putCalls) call(key, text, before);
  };
  const onRemoved = () => {
    isChanged = true;
  };

  const files = new Map<string, string>();
  const lag = (most: number, own: Random) => () => (isFaulty() && over === undefined ? own.below(most) : 0);
  const worst = (chance: number) => () => (isFaulty() ? chance : 0);
  const truth: Truth = {
    table: memoryBuildTable(now, onWrite),
    artifacts: memoryArtifactStore(files, { onPut, onRemoved }),
    statistics: memoryStatistics(),
  };
  const queue = memoryBuildQueue(now, random, { twice: worst(0.05), lostReceipt: worst(0.02) });
  const inMemory: WorldPorts = {
    builds: truth.table,
    buildsBehind: truth.table.behind(lag(BEHIND_MS, random)),
    positionsOfProcess: () => memoryQueuePositions(truth.table, now, lag(BEHIND_MS, places)),
    sweep: memoryBuildSweep(truth.table, now, lag(LISTS_BEHIND_MS, random)),
    queue,
    messagesLeft: () => queue.messages.length,
    artifacts: truth.artifacts,
    records: memoryRecordStore(),
    statistics: truth.statistics,
    disk: { write: async (path, text) => void files.set(path, text), remove: async (path) => void files.delete(path) },
  };

  const during = <T>(next: Caller, work: () => T): T => {
    const before = caller;
    caller = next;
    try {
      return work();
    } finally {
      caller = before;
    }
  };
  const noteCall = (portCall: PortCall) => {
    const { method, fault } = portCall;
    const count = calls.get(method) ?? { calls: 0, faults: 0 };
    calls.set(method, count);
    count.calls += 1;
    if (fault !== undefined) count.faults += 1;
    for (const call of callCalls) call(portCall);
  };
  const parts = { scheduler: time, faults, trace, random: randomOf(seed, 'processes'), onCall: noteCall, during };

  const breaks = (promise: string, what: string) => {
    trace.note(now(), caller.processName, `BREAKS ${promise}: ${what}`);
    broken ??= new BrokenPromise(promise, what);
  };

  return {
    seed,
    scheduler: time,
    faults,
    trace,
    truth,
    ports: over?.(inMemory, { time: now, differs: (what) => breaks('ports', what) }) ?? inMemory,
    timesToLive: timesOf(seed),
    leaseSeconds: LEASE_SECONDS,
    faultsEndMs: FAULTS_END_MS,
    calls,
    randomOf: (name) => randomOf(seed, name),
    spawn: ({ machine, ...options }) => {
      const skewMs = skewOf(seed, machine);
      return simulatedProcess(parts, { ...options, skewMs });
    },
    caller: () => caller,
    isFaulty,
    breaks,
    broken: () => broken,
    onWrite: (call) => void writeCalls.push(call),
    onPut: (call) => void putCalls.push(call),
    onCall: (call) => void callCalls.push(call),
    takeChanged: () => {
      const was = isChanged;
      isChanged = false;
      return was;
    },
  };
}

function timesOf(seed: number): TimesToLive {
  const random = randomOf(seed, 'times to live');
  const life = () => Math.round(random.between(SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS));
  return { buildSeconds: life(), unversionedSeconds: life(), defaultsSeconds: life(), failureSeconds: FAILURE_SECONDS };
}

/** Returns how much the clock of a machine is ahead: for half of them as much, either way, as can be. */
function skewOf(seed: number, machine: string): number {
  const share = drawn(seed, numberOf(machine)) * 4 - 2;
  return Math.round(Math.max(-1, Math.min(1, share)) * SKEW_MS);
}

import type { Outcome } from './simulate.ts';
import type { CallCount } from './world.ts';

/** The sums over many seeds. */
export interface Totals {
  seeds: number;
  steps: number;
  faults: number;
  builds: number;
  readonly failing: number[];
  readonly calls: Map<string, CallCount>;
}

export const noTotals = (): Totals => ({ seeds: 0, steps: 0, faults: 0, builds: 0, failing: [], calls: new Map() });

export function addOutcome(totals: Totals, { seed, broken, steps, faults, builds, calls }: Outcome): void {
  addTotals(totals, { seeds: 1, steps, faults: faults.length, builds, failing: broken ? [seed] : [], calls: new Map(calls) });
}

export function addTotals(totals: Totals, more: Totals): void {
  for (const name of ['seeds', 'steps', 'faults', 'builds'] as const) totals[name] += more[name];
  totals.failing.push(...more.failing);
  for (const [method, { calls, faults }] of more.calls) {
    const known = totals.calls.get(method) ?? { calls: 0, faults: 0 };
    totals.calls.set(method, { calls: known.calls + calls, faults: known.faults + faults });
  }
}

/** Calls that a simulation never makes, or that work by themselves: their ports have no fault in it. */
const WITHOUT_FAULTS: readonly string[] = [
  'catalogue: upstream does not change and always answers',
  'image maker: builds fail, and kill their runner, but not by a fault of a port',
  'clock and ids: each clock is wrong by up to 30 s and keeps pace',
  'client builds, outdated inputs, statistics report: not part of the simulation',
  'parts and facts of objects (open, stat): the modules that are simulated do not ask for them',
  'SQS over LocalStack: simulated time says when a delay or a visibility ends, as the clock of SQS cannot be set',
];

/** Returns which ports met no fault: the calls that were made without any, and what is never made. */
export function portsWithoutFaults({ calls }: Totals): string[] {
  const spared = [...calls].filter(([, { faults }]) => faults === 0).map(([method, count]) => `${method}: ${count.calls} calls, no fault`);
  return [...spared.sort(), ...WITHOUT_FAULTS];
}

/** The last line of the command: `10000 seeds, … steps, … faults, 0 broken promises`. */
export const summaryOf = ({ seeds, steps, faults, builds, failing }: Totals): string =>
  `${seeds} seeds, ${steps} steps, ${faults} faults, ${builds} builds, ${failing.length} broken promises`;

import { drawn, numberOf, randomOf } from './random.ts';

/**
 * What goes wrong in one call of a port.
 *
 * `refused`: the call fails and does nothing. `lost`: it does its work, and fails. `late`: it fails at once, and does
 * its work later. `slow`: it does its work later, and answers then. `slow answer`: it does its work at once, and
 * answers later. `stopped`: the whole process stands still for a while, right before the call. `killed before`,
 * `killed after`: the process dies right before or after the work is done. `asked to stop`: the process gets SIGTERM.
 */
export const FAULT_KINDS = [
  'refused',
  'lost',
  'late',
  'slow',
  'slow answer',
  'stopped',
  'killed before',
  'killed after',
  'asked to stop',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  /** Names the call: the process and the number of the call in it. */
  readonly id: string;
  readonly kind: FaultKind;
  /** How late or slow the call is. */
  readonly ms: number;
}

export interface FaultPlan {
  /** Returns the fault of one call, if it meets any. */
  faultOf(processName: string, call: number, method: string, timeMs: number): Fault | undefined;
  /** The faults that were met so far, in their order. */
  readonly met: readonly Fault[];
}

export interface FaultPlanOptions {
  readonly seed: number;
  /** No fault begins, and none goes on, after this time. */
  readonly untilMs: number;
  /** Only faults with these ids happen: how a failing seed is shrunk. */
  readonly only?: ReadonlySet<string> | undefined;
}

/** The longest that a call is late or slow. */
const LONGEST_MS = 200_000;
/** A port is in trouble for a span of time, or is not. */
const TROUBLE_SPAN_MS = 20_000;

/** The kinds by weight: kills are rare, because each of them ends many calls. */
const KINDS: readonly FaultKind[] = [
  ...['refused', 'refused', 'refused', 'lost', 'lost', 'lost', 'late', 'late', 'slow', 'slow', 'slow', 'slow answer'],
  ...['slow answer', 'stopped', 'killed before', 'killed after', 'asked to stop'],
] as FaultKind[];
/** A port in trouble refuses, loses or delays calls. It kills no process. */
const KINDS_IN_TROUBLE = KINDS.slice(0, -4);

/** What a seed is prone to. Seeds differ a lot, so that rare courses of events are usual in some of them. */
interface Character {
  /** The share of calls that meet a fault. */
  readonly rate: number;
  /** The chance that a port is in trouble during a span, and the share of its calls that meet a fault then. */
  readonly troubleChance: number;
  readonly troubleRate: number;
  readonly kinds: readonly FaultKind[];
  /** Delays are this power of a chance, times the longest: with a high one, nearly all are short. */
  readonly shortness: number;
}

function characterOf(seed: number): Character {
  const random = randomOf(seed, 'faults');
  const favourite = random.pick(FAULT_KINDS);
  return {
    rate: random.pick([0.002, 0.01, 0.03, 0.06]),
    troubleChance: random.pick([0, 0.05, 0.15]),
    troubleRate: random.pick([0.4, 0.8]),
    kinds: [...KINDS, ...Array<FaultKind>(favourite.startsWith('killed') ? 2 : 8).fill(favourite)],
    shortness: random.pick([1, 2, 3]),
  };
}

/**
 * Decides for each call whether it meets a fault. Each decision depends on the seed and the name of the call alone, so
 * leaving a fault out changes no other decision.
 */
export function faultPlan({ seed, untilMs, only }: FaultPlanOptions): FaultPlan {
  const met: Fault[] = [];
  const character = characterOf(seed);
  const seeds = new Map<string, number>();
  const seedOf = (name: string) => {
    const known = seeds.get(name) ?? numberOf(name) ^ seed;
    seeds.set(name, known);
    return known;
  };
  return {
    met,
    faultOf: (processName, call, method, timeMs) => {
      if (timeMs >= untilMs) return undefined;
      const own = seedOf(processName);
      const port = method.slice(0, method.indexOf('.'));
      const isInTrouble = drawn(seedOf(port), Math.floor(timeMs / TROUBLE_SPAN_MS), 2) < character.troubleChance;
      if (drawn(own, call, 3) >= (isInTrouble ? character.troubleRate : character.rate)) return undefined;
      const id = `${processName}#${call}`;
      if (only !== undefined && !only.has(id)) return undefined;
      const kinds = isInTrouble ? KINDS_IN_TROUBLE : character.kinds;
      const kind = kinds[Math.floor(drawn(own, call, 4) * kinds.length)] as FaultKind;
      const ms = Math.min(drawn(own, call, 5) ** character.shortness * LONGEST_MS, untilMs - timeMs);
      const fault = { id, kind, ms };
      met.push(fault);
      return fault;
    },
  };
}

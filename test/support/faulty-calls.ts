/**
 * The fault of one call. `refused`: the call fails and does nothing. `lost`: the call does its work, but its answer is
 * lost. `late`: the call fails, and does its work only after the next two calls. `killed`: this call and every later
 * one fail, as if the process had been killed.
 */
export const FAULTS = ['refused', 'lost', 'late', 'killed'] as const;
export type Fault = (typeof FAULTS)[number];

const LATE_BY_CALLS = 2;

export class FaultyCallError extends Error {
  override readonly name = 'FaultyCallError';
}

/** Counts the calls of one process to all ports that `wrap` returns, and lets one of them meet the fault. */
export interface FaultyCalls {
  wrap<Port extends object>(port: Port): Port;
  /** Whether the process made enough calls for the fault to happen. */
  readonly isMet: boolean;
  /** Does the work of late calls that is still pending. */
  settle(): Promise<void>;
}

/** Returns a counter whose call number `at` (from 0) meets the fault. */
export function faultyCalls(at: number, fault: Fault): FaultyCalls {
  let calls = 0;
  let late: { call: () => Promise<unknown>; due: number } | undefined;
  const doLate = async () => {
    const waiting = late;
    late = undefined;
    await waiting?.call().catch(() => undefined);
  };
  const around = async (name: string, call: () => Promise<unknown>) => {
    const number = calls++;
    if (late !== undefined && number >= late.due) await doLate();
    const fail = () => {
      throw new FaultyCallError(`${name}, call ${number}: ${fault}`);
    };
    if (fault === 'killed' && number >= at) return fail();
    if (number !== at) return call();
    if (fault === 'lost') await call();
    if (fault === 'late') late = { call, due: number + LATE_BY_CALLS + 1 };
    return fail();
  };
  return {
    wrap: (port) =>
      new Proxy(port, {
        get: (target, name) => {
          const value = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...input: unknown[]) => around(String(name), () => value.apply(target, input));
        },
      }),
    get isMet() {
      return calls > at;
    },
    settle: doLate,
  };
}

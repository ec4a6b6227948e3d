/**
 * What becomes of one call. `refused`: it fails and does nothing. `lost`: it does its work, and its answer gets lost. `late`: it fails,
 * and does its work only after the next two calls. `killed`: it and every later call fail, as of a process that was killed.
 */
export const FAULTS = ['refused', 'lost', 'late', 'killed'] as const;
export type Fault = (typeof FAULTS)[number];

const LATE_BY_CALLS = 2;

export class FaultyCallError extends Error {
  override readonly name = 'FaultyCallError';
}

/** The calls of one process to the ports it is given by `wrap`, counted together; one of them meets the fault. */
export interface FaultyCalls {
  wrap<Port extends object>(port: Port): Port;
  /** Whether there were so many calls that the fault was met. */
  readonly isMet: boolean;
  /** Does what is late still. */
  settle(): Promise<void>;
}

/** Lets the call number `at` (from 0) meet the fault. */
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

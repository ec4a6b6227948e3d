import type { Clock, Monotonic } from '#core/stores.ts';
import type { Fault, FaultPlan } from './faults.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { brief, type Trace } from './trace.ts';

/** A process of the simulated system: it has a clock and timers of its own, and can be stopped and killed. */
export interface SimulatedProcess {
  readonly name: string;
  readonly now: Clock;
  readonly monotonic: Monotonic;
  /** Calls back every so many milliseconds until stopped, in the form that runners take. */
  every(ms: number, call: () => void): () => void;
  pause(ms: number): Promise<void>;
  /** Returns the port with each call as one step of the scheduler that may meet a fault. */
  use<Port extends object>(name: string, port: Port): Port;
  isAlive(): boolean;
  /** Ends the process at once. None of its calls is answered any more, and none of its timers goes off. */
  kill(): void;
  /** Called once when the process dies. */
  onDeath(call: () => void): void;
}

export interface ProcessParts {
  readonly scheduler: Scheduler;
  readonly faults: FaultPlan;
  readonly trace: Trace;
  readonly random: Random;
  /** Called with every call that is made. */
  readonly onCall: (call: PortCall) => void;
  /** Called around the work of each call: which process does it, and when it made the call. */
  readonly during: <T>(caller: Caller, work: () => T) => T;
}

export interface Caller {
  readonly processName: string;
  readonly calledMs: number;
}

export interface PortCall {
  readonly processName: string;
  /** Port and method: `builds.get`. */
  readonly method: string;
  readonly input: readonly unknown[];
  /** The fault that it met. */
  readonly fault: Fault | undefined;
}

/** The simulated day on which everything happens. */
export const START_MS = Date.parse('2026-11-20T12:00:00Z');

/** The error of a call that meets a fault. */
class PortFault extends Error {
  override readonly name = 'PortFault';
}

export interface ProcessOptions {
  readonly name: string;
  readonly skewMs: number;
  /** Called when the process gets SIGTERM. Default: it dies, as processes without a handler do. */
  readonly onTerm?: () => void;
}

export function simulatedProcess(parts: ProcessParts, { name, skewMs, onTerm }: ProcessOptions): SimulatedProcess {
  const { scheduler, faults, trace, random } = parts;
  let calls = 0;
  let isAlive = true;
  /** The process stands still until then. */
  let stoppedUntil = 0;
  const deaths: (() => void)[] = [];

  const kill = () => {
    if (!isAlive) return;
    isAlive = false;
    trace.note(scheduler.time(), name, 'is killed');
    for (const call of deaths) call();
  };
  /** Goes on in the process: not while it stands still, and never after its death. */
  const resume = (call: () => void) => {
    if (!isAlive) return;
    const wait = stoppedUntil - scheduler.time();
    if (wait > 0) scheduler.in(wait, () => resume(call));
    else call();
  };
  const after = (ms: number, call: () => void) => scheduler.in(ms, () => resume(call));

  const make = (method: string, input: readonly unknown[], work: () => unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!isAlive) return;
      const fault = faults.faultOf(name, calls++, method, scheduler.time());
      parts.onCall({ processName: name, method, input, fault });
      const caller = { processName: name, calledMs: scheduler.time() };
      const signal = input.find((one) => one instanceof AbortSignal);
      let isOver = false;
      const fail = (error: unknown) => {
        isOver = true;
        resume(() => reject(error));
      };
      const meet = () => fail(new PortFault(`${method}: ${fault?.kind}`));
      const perform = (onDone: (answer: unknown) => void) => {
        // A request of a process that has died meanwhile has arrived or has not.
        if (!isAlive && random.chance(0.5)) return undefined;
        if (signal?.aborted) return fail(signal.reason);
        const answered = (answer: unknown) => {
          trace.note(scheduler.time(), name, () => `${method}(${brief(input)}) → ${brief(answer)}${fault ? ` [${fault.kind}]` : ''}`);
          onDone(answer);
        };
        try {
          const answer = parts.during(caller, work);
          if (answer instanceof Promise) return answer.then(answered, fail);
          answered(answer);
        } catch (error) {
          trace.note(scheduler.time(), name, () => `${method}(${brief(input)}) throws ${String(error)}`);
          fail(error);
        }
        return undefined;
      };
      const answer = (value: unknown) => resume(() => resolve(value));
      const begin = (onDone: (value: unknown) => void) => scheduler.ready(() => perform(onDone));
      const beginLater = (ms: number, onDone: (value: unknown) => void) =>
        scheduler.in(ms, () => {
          if (!isOver || fault?.kind === 'late') begin(onDone);
        });
      // As the real stores do, a call that is aborted before it did its work fails at once.
      signal?.addEventListener('abort', () => {
        if (!isOver && fault?.kind !== 'late') fail(signal.reason);
      });
      if (fault !== undefined)
        trace.note(scheduler.time(), name, () => `${method}(${brief(input)}) meets: ${fault.kind}, ${Math.round(fault.ms)} ms`);

      switch (fault?.kind) {
        case undefined:
          return begin(answer);
        case 'refused':
          return scheduler.ready(meet);
        case 'lost':
          return begin(meet);
        case 'late':
          scheduler.ready(meet);
          return beginLater(fault.ms, () => undefined);
        case 'slow':
          return beginLater(fault.ms, answer);
        case 'slow answer':
          return begin((value) => after(fault.ms, () => answer(value)));
        case 'stopped':
          stoppedUntil = Math.max(stoppedUntil, scheduler.time() + fault.ms);
          return beginLater(fault.ms, answer);
        case 'killed before':
          return scheduler.ready(kill);
        case 'killed after':
          return begin(kill);
        case 'asked to stop':
          (onTerm ?? kill)();
          return begin(answer);
      }
    });

  return {
    name,
    now: () => new Date(START_MS + scheduler.time() + skewMs),
    monotonic: () => scheduler.time(),
    every: (ms, call) => {
      let isRunning = true;
      const next = () =>
        after(ms, () => {
          if (!isRunning) return;
          call();
          next();
        });
      next();
      return () => {
        isRunning = false;
      };
    },
    pause: (ms) => new Promise((resolve) => after(ms, resolve)),
    use: (portName, port) => {
      const used: Record<string, unknown> = {};
      for (const [method, value] of Object.entries(port))
        used[method] =
          typeof value !== 'function' ? value : (...input: unknown[]) => make(`${portName}.${method}`, input, () => value(...input));
      return used as typeof port;
    },
    isAlive: () => isAlive,
    kill,
    onDeath: (call) => void deaths.push(call),
  };
}

import { isDeepStrictEqual } from 'node:util';

export interface BesideOptions {
  /** The port's name, for people. */
  readonly name: string;
  /** Called with every answer that differs. */
  readonly differs: (what: string) => void;
  /** Returns the part of an answer that both stores must agree on; default: all of it. */
  readonly common?: (answer: unknown, method: string) => unknown;
  /** Returns the input of the real store; default: the same. */
  readonly realInput?: (method: string, input: readonly unknown[]) => readonly unknown[];
}

/**
 * Returns the port over a real store beside the one in memory: each call goes to both, their answers are compared, and
 * the real one is returned. It shows that the store in memory is no kinder than the real one.
 */
export function beside<Port extends object>(inMemory: Port, real: Port, options: BesideOptions): Port {
  const { name, differs, common = (answer) => answer, realInput = (_, input) => input } = options;
  const both: Record<string, unknown> = {};
  for (const [method, call] of Object.entries(inMemory)) {
    if (typeof call !== 'function') continue;
    const realCall = (real as Record<string, unknown>)[method];
    if (typeof realCall !== 'function') continue;
    both[method] = async (...input: unknown[]) => {
      const expected = await call(...input);
      const answer = await realCall(...realInput(method, input));
      const [ours, theirs] = [common(expected, method), common(answer, method)];
      if (!isDeepStrictEqual(ours, theirs))
        differs(`${name}.${method}(${JSON.stringify(input[0])}): in memory ${JSON.stringify(ours)}, really ${JSON.stringify(theirs)}`);
      return answer;
    };
  }
  return both as Port;
}

/** Returns rows in one order: a list that is stale or has another order than that in memory is no difference. */
export function inOneOrder(answer: unknown): unknown {
  if (!Array.isArray(answer)) return answer;
  const text = (row: object) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  return [...answer].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

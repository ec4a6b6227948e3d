/** Too many tasks wait for their turn. */
export class GateFullError extends Error {
  override readonly name = 'GateFullError';
  override readonly message = 'too many other requests wait for it';
}

/**
 * Returns a function that runs tasks, at most `most` at the same time. Others wait for their turn, in the order of the
 * calls. It rejects a task with `GateFullError` if `maxWaiting` tasks wait already.
 */
export function gate(most: number, maxWaiting = Number.POSITIVE_INFINITY): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= most && waiting.length >= maxWaiting) throw new GateFullError();
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      // The turn goes to the next task that waits, or becomes free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

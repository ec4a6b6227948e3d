/**
 * A handler that answers only once what its answers have to be counted with is written: where a process is frozen after its
 * answer, nothing may be left for later.
 */
export const flushed =
  <Args extends unknown[], Answer>(handler: (...args: Args) => Promise<Answer>, flush: () => Promise<void>) =>
  async (...args: Args): Promise<Answer> => {
    try {
      return await handler(...args);
    } finally {
      await flush();
    }
  };

/**
 * Returns a handler that answers only after `flush` has written the counts of its request. A function on AWS is frozen
 * after its answer, so it can leave nothing for later.
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

import { AsuError } from '#core/errors.ts';
import type { Log } from '#observe/log.ts';

/** What a process needs, each by name. A check settles when it is there, and rejects with what is wrong. */
export type Checks = Readonly<Record<string, () => Promise<unknown>>>;

/** Rejects with what is wrong, unless everything is there. A process calls it before it takes its first request. */
export async function assertReady(checks: Checks): Promise<void> {
  await Promise.all(Object.values(checks).map((check) => check()));
}

/**
 * The checks as anybody may ask for them. An `AsuError` says by itself what a client may read; other errors may name accounts, roles,
 * addresses and paths, so they go to the log.
 */
export const withoutDetails = (checks: Checks, log: Log): Checks =>
  Object.fromEntries(
    Object.entries(checks).map(([what, check]) => [
      what,
      () =>
        check().catch((error: unknown) => {
          log.error('not ready', { what, error });
          throw error instanceof AsuError ? error : new Error('cannot be used');
        }),
    ]),
  );

type Checks = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * Returns the checks with failures that say no details, for public answers: what AWS says of a failure names accounts
 * and roles.
 */
export const withoutDetails = (checks: Checks, onError: (what: string, error: unknown) => void): Checks =>
  Object.fromEntries(
    Object.entries(checks).map(([what, check]) => [
      what,
      () =>
        check().catch((error: unknown) => {
          onError(what, error);
          throw new Error('cannot be used');
        }),
    ]),
  );

type Checks = Readonly<Record<string, () => Promise<unknown>>>;

/** Checks whose outcome the whole world may ask for: what AWS says of a failure names accounts and roles, and is for the log alone. */
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

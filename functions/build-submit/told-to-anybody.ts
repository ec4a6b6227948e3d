type Checks = Readonly<Record<string, () => Promise<unknown>>>;

/** Checks whose outcome the whole world may ask for: what AWS says of a failure names accounts and roles, and is for the log alone. */
export const toldToAnybody = (checks: Checks, onTrouble: (what: string, error: unknown) => void): Checks =>
  Object.fromEntries(
    Object.entries(checks).map(([what, check]) => [
      what,
      () =>
        check().catch((error: unknown) => {
          onTrouble(what, error);
          throw new Error('cannot be used');
        }),
    ]),
  );

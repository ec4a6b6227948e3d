/**
 * How long a runner's build is its own without a renewal, in seconds. Renewed after two thirds (`runner/start-runner.ts`), so that a
 * build of ten minutes has at most one renewal beside its steps: each is a write unit. A runner that is reclaimed or told to end
 * hands its build back at once; only one that dies without a word leaves it waiting for so long.
 */
export const LEASE_SECONDS = 450;

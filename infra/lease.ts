/**
 * The time in seconds for which a runner holds its build without a renewal. The runner renews after two thirds of it
 * (`runner/start-runner.ts`). A build of ten minutes therefore needs at most one renewal besides its steps, and each
 * costs a write unit. A runner that gets SIGTERM, or whose task AWS reclaims, hands its build back at once; only after
 * a crash does the build wait this long.
 */
export const LEASE_SECONDS = 450;

/** Builds of the drain. `npm run test:drain` and `.ci/run --all` have a thousand of them, `.ci/run` sixty. */
export const DRAIN_BUILDS = Number(process.env['DRAIN_BUILDS'] ?? 150);

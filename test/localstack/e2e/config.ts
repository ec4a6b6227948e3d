/** Builds of the drain; `npm run test:drain` and `.ci/run` have a thousand of them. */
export const DRAIN_BUILDS = Number(process.env['DRAIN_BUILDS'] ?? 150);

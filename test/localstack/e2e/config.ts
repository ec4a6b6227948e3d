/** Builds of the drain; `npm run test:drain` has a thousand of them. */
export const DRAIN_BUILDS = Number(process.env['DRAIN_BUILDS'] ?? 150);

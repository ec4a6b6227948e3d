/**
 * The number of builds in the drain test: a thousand in `npm run test:drain` and `.ci/run --all`, sixty in `.ci/run`.
 */
export const DRAIN_BUILDS = Number(process.env['DRAIN_BUILDS'] ?? 150);

/** The least number of cases that Schemathesis must send, over all operations. */
const LEAST_CASES_PER_EXAMPLE = 25;

/**
 * The lane's own settings. A longer run with other cases: `FUZZ_SEED=$RANDOM FUZZ_EXAMPLES=2000 npm run test:openapi`;
 * what it finds is repeated by its seed.
 */
export const loadFuzzConfig = (env: NodeJS.ProcessEnv = process.env) => {
  const maxExamples = Number(env['FUZZ_EXAMPLES'] ?? 200);
  return { seed: Number(env['FUZZ_SEED'] ?? 20_261_120), maxExamples, leastCases: maxExamples * LEAST_CASES_PER_EXAMPLE };
};

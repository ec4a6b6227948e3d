import { assertBucketReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { type BuildState, type BuildStateClients, type BuildStateConfig, buildState } from '../build-state.ts';
import type { Composition } from '../composition.ts';
import { statusApp } from './app.ts';

/** The status function. The build service gives it the state that its own POST has. */
export const composeStatus = (
  config: BuildStateConfig,
  clients: BuildStateClients,
  state: BuildState = buildState(config, clients, 'eventual'),
): Composition => ({
  routes: [statusApp(state)],
  checks: {
    table: () => assertTableReady(clients.dynamo, config.BUILD_TABLE),
    bucket: () => assertBucketReady(clients.s3, config.ARTIFACT_BUCKET),
  },
});

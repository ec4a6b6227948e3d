import type { SQSClient } from '@aws-sdk/client-sqs';
import type * as z from 'zod';
import { dynamoOutdatedInputs } from '#adapters/aws/builds/outdated-inputs.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { assertBucketReady, assertQueueReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { requestDeps } from '#http/request-deps.ts';
import { type BuildState, type BuildStateClients, buildState } from '../build-state.ts';
import type { Composition, CompositionParts } from '../composition.ts';
import { otherDistros } from '../other-distros.ts';
import { sharedCatalogue } from '../shared-catalogue.ts';
import { buildSubmitApp } from './app.ts';
import { askPrepare } from './ask-prepare.ts';
import type { Config } from './config.ts';
import { observeRequests } from './observe-requests.ts';

/** The function that takes build requests. */
export function composeBuildSubmit(
  config: z.output<typeof Config>,
  clients: BuildStateClients & { readonly sqs: SQSClient },
  parts: CompositionParts,
  state: BuildState = buildState(config, clients, 'strong'),
): Composition & { readonly flush: () => Promise<void> } {
  const { log } = parts;
  const { dynamo, s3, sqs } = clients;
  const recorder = recordStatistics({
    statistics: dynamoStatistics(dynamo, config.STATISTICS_TABLE, state.now),
    branches: () => config.BRANCHES,
    now: state.now,
    isCounting: config.SERVER_STATS,
    onError: (error) => log.warn('statistics could not be written', { error }),
  });
  const app = buildSubmitApp({
    ...requestDeps(config),
    ...state,
    catalogue: sharedCatalogue(config, clients, parts),
    others: otherDistros(config.DISTROS, (distro) => sharedCatalogue(config, clients, parts, distro)),
    queue: sqsBuildQueue(sqs, { queueUrl: config.BUILD_QUEUE_URL, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL }),
    outdatedInputs: dynamoOutdatedInputs(dynamo, config.BUILD_TABLE),
    ...askPrepare(config, log),
    maxPendingBuilds: () => config.MAX_PENDING_JOBS,
    refusesImpossible: () => config.REFUSE_IMPOSSIBLE === 'refuse',
    ...observeRequests(parts, recorder),
  });
  return {
    routes: [app],
    checks: {
      table: () => assertTableReady(dynamo, config.BUILD_TABLE),
      statistics: () => assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
      queue: () => assertQueueReady(sqs, config.BUILD_QUEUE_URL),
      bucket: () => assertBucketReady(s3, config.ARTIFACT_BUCKET),
    },
    flush: recorder.flush,
  };
}

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DYNAMO_CLIENT, S3_CLIENT, SQS_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { assertReady } from '#http/checks.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { composeMaintenance } from './composition.ts';
import { loadConfig } from './config.ts';
import { runMaintenance } from './run-maintenance.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'maintenance');
const metrics = emfMetrics({ service: 'maintenance', namespace: config.METRICS_NAMESPACE });
const clients = {
  dynamo: new DynamoDBClient(DYNAMO_CLIENT),
  s3: new S3Client({ ...S3_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE }),
  sqs: new SQSClient(SQS_CLIENT),
};
const { checks, deps } = composeMaintenance(config, clients, { log, metrics });
await assertReady(checks);

export const handler = (): Promise<void> => runMaintenance(deps, config.SWEEP_EVERY * 1000);

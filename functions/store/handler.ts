import { handle } from 'hono/aws-lambda';
import { httpApp } from '#http/http-app.ts';
import { processLog } from '#http/process-log.ts';
import { storeApp } from './app.ts';
import { loadConfig } from './config.ts';
import { noArtifacts } from './no-artifacts.ts';

/** Asked only for what the bucket does not have, and for paths that nobody knows: both are 404 as JSON. */
const config = loadConfig();

export const handler = handle(
  httpApp({ log: processLog(config.LOG_LEVEL, 'store') }, storeApp({ artifacts: noArtifacts, signingKey: config.SIGNING_KEY })),
);

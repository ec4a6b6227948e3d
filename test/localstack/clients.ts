import { inject } from 'vitest';
import { localClients } from '#local-aws/resources/local-clients.ts';

/** The lane's LocalStack. Each waiting receiver holds a socket. */
const clients = () =>
  localClients(inject('localStackUrl'), { requestHandler: { httpAgent: { maxSockets: 500 }, socketAcquisitionWarningTimeout: 60_000 } });

export const dynamoClient = () => clients().dynamo;
export const sqsClient = () => clients().sqs;
export const s3Client = () => clients().s3;

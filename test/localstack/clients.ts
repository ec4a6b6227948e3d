import { inject } from 'vitest';
import { localClients } from '#local-aws/resources/local-clients.ts';

/** Returns clients of the lane's LocalStack. They may open many sockets, since each waiting receiver occupies one. */
const clients = () =>
  localClients(inject('localStackUrl'), { requestHandler: { httpAgent: { maxSockets: 500 }, socketAcquisitionWarningTimeout: 60_000 } });

export const dynamoClient = () => clients().dynamo;
export const sqsClient = () => clients().sqs;
export const s3Client = () => clients().s3;

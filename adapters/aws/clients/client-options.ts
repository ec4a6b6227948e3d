/**
 * Without them a client of AWS waits for ever. `requestTimeout` is from the first byte sent to the first of the answer, each of the
 * SDK's tries anew, and fails a request only when told to throw; `socketTimeout` is for a connection on which nothing moves.
 */
const CONNECTION_TIMEOUT = 3_000;

export const DYNAMO_CLIENT = {
  requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout: 10_000, throwOnRequestTimeout: true, socketTimeout: 10_000 },
};

/** Longer than a poll of the queue may wait for a message (`BUILD_QUEUE.receiveWaitSeconds`). */
export const SQS_CLIENT = {
  requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout: 30_000, throwOnRequestTimeout: true, socketTimeout: 30_000 },
};

/** A large object takes as long as it takes, while it moves. */
export const S3_CLIENT = { requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, socketTimeout: 30_000 } };

/** For objects that are passed on as fast as somebody takes them: nothing moves while a slow client's buffers are full. Not for large uploads. */
export const S3_SERVING_CLIENT = {
  requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout: 10_000, throwOnRequestTimeout: true, socketTimeout: 600_000 },
};

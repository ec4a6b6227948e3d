/**
 * The limit for opening a connection. Without timeouts a client of AWS waits forever. `requestTimeout` limits the time
 * from the first byte sent to the first byte of the answer, for each of the SDK's attempts, and fails a request only
 * with `throwOnRequestTimeout`; `socketTimeout` limits how long a connection may be silent.
 */
const CONNECTION_TIMEOUT = 3_000;
/** The limit for the beginning of an answer, and the number of attempts, where a client of ours waits. */
const ANSWERING_TIMEOUT = 3_000;
const ANSWERING_ATTEMPTS = 3;

/** Options for DynamoDB in a process that runs or sweeps builds: it waits for its store rather than give up. */
export const DYNAMO_CLIENT = {
  requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout: 10_000, throwOnRequestTimeout: true, socketTimeout: 10_000 },
};

/**
 * Options for DynamoDB and SQS in a process that answers clients. It sends messages and receives none. All attempts of
 * the SDK end before the gateway and API Gateway give up.
 */
export const ANSWERING_CLIENT = {
  maxAttempts: ANSWERING_ATTEMPTS,
  requestHandler: {
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: ANSWERING_TIMEOUT,
    throwOnRequestTimeout: true,
    socketTimeout: 10_000,
  },
};

/** Options for SQS in a process that receives messages. Its timeouts are longer than a poll may wait for a message (`BUILD_QUEUE.receiveWaitSeconds`). */
export const SQS_CLIENT = {
  requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout: 30_000, throwOnRequestTimeout: true, socketTimeout: 30_000 },
};

/** Options for S3. A large object may take any time, as long as the connection is not silent. */
export const S3_CLIENT = { requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, socketTimeout: 30_000 } };

/**
 * Options for S3 in a process that answers clients, and passes objects on to them: while the buffers of a slow client are full, the
 * connection to S3 is silent. Not for large uploads.
 */
export const S3_SERVING_CLIENT = {
  maxAttempts: ANSWERING_ATTEMPTS,
  requestHandler: {
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: ANSWERING_TIMEOUT,
    throwOnRequestTimeout: true,
    socketTimeout: 600_000,
  },
};

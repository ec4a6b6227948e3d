import { randomUUID } from 'node:crypto';

/** The header with the id of a request, which goes through every log line, the queue and the runner. */
export const CORRELATION_ID = 'X-Correlation-Id';

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** Returns the client's correlation id if the log may have it, and a new one otherwise. */
export const correlationIdOf = (given: string | null | undefined): string =>
  given != null && ACCEPTABLE.test(given) ? given : randomUUID();

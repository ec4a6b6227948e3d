import { randomUUID } from 'node:crypto';

/** Carries one request's name through every log line, queue and runner. */
export const CORRELATION_ID = 'X-Correlation-Id';

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** The client's correlation id where it is one we are willing to log, else a new one. */
export const correlationIdOf = (given: string | null | undefined): string =>
  given != null && ACCEPTABLE.test(given) ? given : randomUUID();

import { createHash } from 'node:crypto';

/** The beginning of the keys under which the recorded versions store their records of an upstream. */
const keyOf = (upstreamUrl: string): string => `catalogue/${createHash('sha256').update(upstreamUrl).digest('hex').slice(0, 12)}/`;

/** The key that makes a record of the upstream at `from` one of the upstream at `to`: each test's upstream has a port of its own. */
export const readdressed = (key: string, from: string, to: string): string => key.replace(keyOf(from), keyOf(to));

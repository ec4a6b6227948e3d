import type { Build } from '#core/build/build.ts';

/**
 * How log lines name a build. The hash of a private one (with `defaults`) is the key by which anybody may read it back: only the
 * correlation id of the request that began it is written.
 */
export const buildLogFields = ({ hash, correlationId, isPrivate }: Pick<Build, 'hash' | 'correlationId' | 'isPrivate'>) => ({
  ...(!isPrivate && { request_hash: hash }),
  correlation_id: correlationId,
});

import type { Build } from '#core/build/build.ts';

/**
 * The fields by which log lines name a build. With the hash of a private build (its request has `defaults`) anybody may
 * read the build back, so the log has only the correlation id of the request that began it.
 */
export const buildLogFields = ({ hash, correlationId, isPrivate }: Pick<Build, 'hash' | 'correlationId' | 'isPrivate'>) => ({
  ...(!isPrivate && { request_hash: hash }),
  correlation_id: correlationId,
});

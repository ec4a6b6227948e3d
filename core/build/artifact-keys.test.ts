import { describe, expect, it } from 'vitest';
import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import { artifactKeys, fileMeta, resultMeta, usualMeta } from './artifact-keys.ts';
import { RESULT_MAX_AGE_SECONDS } from './build.ts';

const HASH = 'a'.repeat(64) as RequestHash;
const BIN_DIR = 'b'.repeat(64) as BinDir;

/** Returns the directives of a `Cache-Control` header by name, with `true` for one without a value. */
const directives = (header: string) =>
  Object.fromEntries(
    header
      .split(', ')
      .map((directive) => directive.split('='))
      .map(([name, value]) => [name, value ?? true]),
  );

describe('a result', () => {
  it('may be kept for its time and never longer, not even while the origin fails', () => {
    expect(directives(resultMeta(false).cacheControl)).toEqual({
      public: true,
      'max-age': String(RESULT_MAX_AGE_SECONDS),
      'must-revalidate': true,
      'stale-if-error': '0',
    });
  });

  it('has the same rules when an earlier version or another program wrote it to disk', () => {
    expect(usualMeta(artifactKeys.result(HASH))).toEqual(resultMeta(false));
  });
});

describe('an answer that must not outlive its build', () => {
  it.each([
    ['the result of a private build', resultMeta(true)],
    ['a file of a private build', fileMeta('a.img.gz', true)],
    ['a success', usualMeta(artifactKeys.success(BIN_DIR))],
    ['a failure', usualMeta(artifactKeys.failure(BIN_DIR))],
    ['an outcome of an earlier version', usualMeta(artifactKeys.formerOutcome(BIN_DIR))],
    ['a log', usualMeta(artifactKeys.log(BIN_DIR))],
  ])('%s is kept by no cache', (_, { cacheControl }) => {
    expect(directives(cacheControl)).toEqual({ private: true, 'no-store': true });
  });
});

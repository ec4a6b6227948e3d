import { describe, expect, it } from 'vitest';
import { type Answer, answerFaults } from './answer-faults.ts';
import type { ChaosRequest } from './requests.ts';
import { answers, requestOf } from './testing.ts';

const faultsOf = (answer: Answer, kind: ChaosRequest['kind'] = 'kept') =>
  answerFaults(answer, requestOf(kind)).map(({ promise }) => promise);

describe('an answer', () => {
  it.each([
    ['queued', answers.queued(), 'kept'],
    ['being built', answers.building(), 'short'],
    ['done', answers.done(), 'kept'],
    ['failed without fault of its request', answers.failed(), 'kept'],
    ['failed for good, as it has to', answers.failed(null), 'fails'],
    ['gone', answers.unknown(), 'short'],
    ['a server in trouble', { status: 503, retryAfter: '5', body: {} }, 'kept'],
    ['refused, as it has to be', { status: 422, retryAfter: null, body: {} }, 'refused'],
  ] as const)('that is right is taken: %s', (_, answer, kind) => expect(faultsOf(answer, kind)).toEqual([]));

  it.each([
    ['a 200 with a failure document', 'I3', { ...answers.failed(null), status: 200 }, 'kept'],
    ['a 200 without images', 'I3', answers.done({ images: [] }), 'kept'],
    ['a 200 that is not done', 'I3', answers.done({ detail: 'started' }), 'kept'],
    ['a 200 for another device', 'I3', answers.done({ request: { version: '24.10.2', target: 'x86/64', profile: 'other' } }), 'kept'],
    ['a 200 whose image lacks a package', 'I3', answers.done({ manifest: { nano: '1' } }), 'kept'],
    ['a 200 for a request that cannot be built', 'I3', answers.done(), 'fails'],
    ['a failure that names images', 'I3', answers.failed('1', { images: [{}] }), 'kept'],
    ['a good request whose failure is remembered', 'I2', answers.failed(null), 'kept'],
    ['a 202 without place and step', 'I5', { ...answers.queued(), body: { detail: 'queued' } }, 'kept'],
    ['a good request that is refused', 'answers', { status: 422, retryAfter: null, body: {} }, 'kept'],
    ['a post that finds nothing', 'answers', { status: 404, retryAfter: null, body: {} }, 'kept'],
    ['a bare 500', 'answers', { status: 500, retryAfter: null, body: { status: 500, title: 'Internal Server Error' } }, 'kept'],
  ] as const)('that is wrong breaks a promise: %s', (_, promise, answer, kind) => {
    expect(faultsOf(answer, kind)).toContain(promise);
  });
});

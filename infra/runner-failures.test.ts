import { expect, it } from 'vitest';
import type { RunEvent } from '#core/build/run-event.ts';
import { jsonLog } from '#observe/log.ts';
import { logRunEvent } from '#observe/log-run-event.ts';
import { matchesLogPattern } from '#test/support/log-pattern.ts';
import { RUNNER_FAILURE_PATTERN } from './runner-failures.ts';

const build = { hash: 'h', correlationId: 'c', attempt: 3, isPrivate: true, detail: 'd', lastFailure: 'l' };
const order = { request: {} };

it.each([
  ['started', { type: 'started', build, order }, false],
  ['done', { type: 'done', build, order, output: { durations: {} } }, false],
  ['unbuildable', { type: 'failed', build: { ...build, cached: true }, order }, false],
  ['given up', { type: 'failed', build: { ...build, cached: false }, order }, true],
  ['tried again', { type: 'retrying', build, order, delaySeconds: 5 }, true],
  ['handed back', { type: 'handed-back', build }, false],
  ['lost', { type: 'lost', build }, true],
] as const)('a build that was %s counts as a failure only if the request did not cause it', (_, event, isFailure) => {
  const lines: string[] = [];
  logRunEvent(
    jsonLog('debug', (line) => lines.push(line)),
    event as unknown as RunEvent,
  );
  expect(lines.map((line) => matchesLogPattern(RUNNER_FAILURE_PATTERN, JSON.parse(line)))).toEqual([isFailure]);
});

it('an unusable state counts as a failure, a warning does not', () => {
  const lines: string[] = [];
  const log = jsonLog('info', (line) => lines.push(line));
  log.error('state could not be used', { error: new Error('throttled') });
  log.warn('statistics could not be written');
  expect(lines.map((line) => matchesLogPattern(RUNNER_FAILURE_PATTERN, JSON.parse(line)))).toEqual([true, false]);
});

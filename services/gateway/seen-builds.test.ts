import { expect, it } from 'vitest';
import { seenBuilds } from './seen-builds.ts';

it('remembers only the given number of builds, the newest ones, and no client without builds', () => {
  const seen = seenBuilds(3);
  for (const [hash, client] of [
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'b'],
    ['4', 'b'],
  ] as const)
    seen.accepted(hash, client, 'waiting');
  expect([seen.of('a'), seen.of('b')]).toEqual([[], ['2', '3', '4']]);
  expect([seen.count('a'), seen.count('b')]).toEqual([0, 3]);
  expect(seen.othersWaiting('a', 2)).toEqual(['4', '3']);
  expect(seen.othersWaiting('b', 2)).toEqual([]);
});

it('knows the last known state of a build, and the client that asked for it first', () => {
  const seen = seenBuilds();
  for (const hash of ['1', '2', '3']) seen.accepted(hash, 'a', 'waiting');
  seen.accepted('1', 'b', 'waiting');
  expect([seen.count('a'), seen.count('b')]).toEqual([3, 0]);
  expect(seen.othersWaiting('b', 5)).toEqual(['1', '3', '2']);
  seen.found('3', 'building');
  seen.found('2', undefined);
  expect(seen.othersWaiting('b', 5)).toEqual(['1', '2']);
  seen.found('1', 'ended');
  seen.found('unknown', 'ended');
  expect([seen.of('a'), seen.othersWaiting('b', 5)]).toEqual([['2', '3'], ['2']]);
});

import type { LookupFunction } from 'node:net';
import { beforeEach, expect, it } from 'vitest';
import { nameCheck } from './check-name.ts';
import { PrivateAddressError } from './public-addresses.ts';

type Answer = Parameters<LookupFunction>[2];

const HOST = new URL('https://mirror.example/a');
const PRIVATE = new PrivateAddressError('mirror.example is 10.0.0.1');

let asked: string[];
let pending: Answer[];
let time: number;
beforeEach(() => {
  asked = [];
  pending = [];
  time = 0;
});

/** Returns a check whose look-ups end when a test calls what is in `pending`. */
const make = (waitMs: number) =>
  nameCheck({
    lookup: (host, _, answer) => {
      asked.push(host);
      pending.push(answer);
    },
    monotonic: () => time,
    waitMs,
  });

it('refuses a name whose look-up is late, and knows its outcome the next time', async () => {
  const check = make(20);
  await expect(check(HOST)).rejects.toThrow('the look-up of mirror.example is not over after 20 ms');
  pending[0]?.(PRIVATE, []);
  await expect(check(HOST)).rejects.toBe(PRIVATE);
  expect(asked).toEqual(['mirror.example']);
});

it('leaves a name that cannot be looked up to the proxy, also while a later look-up is late', async () => {
  const check = make(20);
  const first = check(HOST);
  pending[0]?.(Object.assign(new Error('no name server'), { code: 'EAI_AGAIN' }), []);
  await first;
  time += 600_000;
  await check(HOST);
  expect(asked).toHaveLength(2);
});

it('looks a name up once for all that ask, and again after some minutes', async () => {
  const check = make(60_000);
  const all = Promise.all([check(HOST), check(HOST), check(new URL('http://mirror.example:81/b'))]);
  pending[0]?.(null, [{ address: '1.1.1.1', family: 4 }]);
  await all;
  await check(HOST);
  expect(asked).toHaveLength(1);
  time += 600_000;
  const later = check(HOST);
  pending[1]?.(PRIVATE, []);
  await expect(later).rejects.toBe(PRIVATE);
});

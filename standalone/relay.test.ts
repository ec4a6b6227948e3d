import { expect, it } from 'vitest';
import { relay } from './relay.ts';

it('passes on events from before its listener, in order, and everything after', () => {
  const { send, listen } = relay<[name: string, count: number]>();
  const heard: [string, number][] = [];
  send('first', 1);
  send('second', 2);
  listen((...event) => heard.push(event));
  send('third', 3);
  expect(heard).toEqual([
    ['first', 1],
    ['second', 2],
    ['third', 3],
  ]);
});

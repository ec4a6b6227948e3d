import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { pidsIn } from '#runner/imagebuilder/sandbox/cgroups.ts';
import { kill, processFacts } from './process-table.ts';

it('ends the process that the facts are of, and none that has its number since', async () => {
  const child = spawn('sleep', ['31955511']);
  await once(child, 'spawn');
  const facts = processFacts(child.pid ?? 0);
  if (facts === undefined) throw new Error('not started');
  const over = once(child, 'exit');
  kill({ ...facts, startedAt: facts.startedAt - 1 });
  expect(processFacts(facts.pid)?.isZombie).toBe(false);
  kill(facts);
  expect((await over)[1]).toBe('SIGKILL');
  kill(facts);
});

it('never signals a group: in a list of processes 0 is no process, and neither is a negative number', () => {
  expect(pidsIn('0\n12\n-1\n\n0\n345\nx\n')).toEqual([12, 345]);
  expect(pidsIn('')).toEqual([]);
  for (const pid of [0, -1, Number.NaN]) expect(() => kill({ pid, startedAt: 0 })).not.toThrow();
});

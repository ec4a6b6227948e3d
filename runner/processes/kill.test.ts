import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { pidsIn } from '#runner/imagebuilder/sandbox/cgroups.ts';
import { kill, processFacts } from './process-table.ts';

it('ends the process that the facts describe, and no later process with the same id', async () => {
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

it('never signals a group: neither 0 nor a negative number in a list of processes is a process id', () => {
  expect(pidsIn('0\n12\n-1\n\n0\n345\nx\n')).toEqual([12, 345]);
  expect(pidsIn('')).toEqual([]);
  for (const pid of [0, -1, Number.NaN]) expect(() => kill({ pid, startedAt: 0 })).not.toThrow();
});

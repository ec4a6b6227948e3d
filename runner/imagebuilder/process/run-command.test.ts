import { expect, it } from 'vitest';
import { TOOL_PATH } from '../sandbox/sandbox.ts';
import { runCommand } from './run-command.ts';

it('starts nothing when it is aborted while its cgroup is made', async () => {
  const abort = new AbortController();
  const output: string[] = [];
  const result = await runCommand(
    {
      file: 'sh',
      args: ['-c', 'echo started; exec sleep 60'],
      cwd: '/',
      env: { PATH: TOOL_PATH },
      marker: 'aborted-early',
      hasPidNamespace: false,
      uid: undefined,
      memory: {
        bytes: 1024 ** 3,
        cgroups: {
          version: 2,
          create: async () => {
            abort.abort();
            throw new Error('no cgroups here');
          },
          sweep: async () => undefined,
        },
      },
    },
    { signal: abort.signal, timeoutMs: 30_000, maxOutputBytes: 1000, onOutput: (chunk) => output.push(chunk.toString()) },
  );
  expect([result.end, output]).toEqual(['abort', []]);
});

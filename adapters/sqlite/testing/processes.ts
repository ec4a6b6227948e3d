import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import type { Work } from './worker.ts';

/** Returns the path of a database file that does not exist yet. */
export const freshFile = async (): Promise<string> => join(await temporaryDirectory(), 'asu.db');

export interface TestProcess {
  do(work: Work): Promise<string[]>;
  /** Sends SIGKILL, and resolves when the process has ended. */
  kill(): Promise<void>;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const gone = new AbortController();
  const message = once(child, 'message', { signal: gone.signal });
  const exit = once(child, 'exit', { signal: gone.signal }).then(([code, signal]) => {
    throw new Error(`The test process ended (${code ?? signal})`);
  });
  try {
    const [value] = (await Promise.race([message, exit])) as [unknown];
    return value;
  } finally {
    gone.abort();
    await Promise.allSettled([message, exit]);
  }
}

/** Starts real processes at the same time, and resolves when all have opened the file. They end with the test. */
export function startProcesses(file: string, count: number): Promise<TestProcess[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const child = fork(new URL('./worker.ts', import.meta.url), [file], { execArgv: [] });
      const kill = async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      };
      onTestFinished(kill);
      await nextMessage(child);
      return {
        do: async (work: Work) => {
          const answer = nextMessage(child);
          child.send(work);
          return (await answer) as string[];
        },
        kill,
      };
    }),
  );
}

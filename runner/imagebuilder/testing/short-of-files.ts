import { setTimeout as sleep } from 'node:timers/promises';
import { holdDirectory } from '#runner/files/directory.ts';
import { runCommand } from '../process/run-command.ts';
import { TOOL_PATH } from '../sandbox/sandbox.ts';
import { bytesIn } from '../tree/watch-growth.ts';

/**
 * A process of its own that opens files until it may open no more, at the `moment` given, and prints what becomes of its work. An error
 * that no part of it handles ends it.
 */
const [moment = ''] = process.argv.slice(2);
const held: unknown[] = [];
const openAll = async (): Promise<void> => {
  try {
    for (;;) held.push(await holdDirectory('/'));
  } catch {
    // There are none left.
  }
};

const abort = new AbortController();
const run = (onOutput: () => void) =>
  runCommand(
    {
      file: 'sh',
      // A process that has left the group keeps the pipes of the command open, so that their files stay taken.
      args: ['-c', 'setsid sh -c "echo ready; exec sleep 5" & exec sleep 60'],
      cwd: '/',
      env: { PATH: TOOL_PATH },
      marker: 'short-of-files',
      hasPidNamespace: false,
      uid: undefined,
      memory: { bytes: 1024 ** 3, cgroups: undefined },
    },
    { signal: abort.signal, timeoutMs: 60_000, maxOutputBytes: 1000, onOutput },
  );

const work = async (): Promise<unknown> => {
  if (moment === 'end') {
    return run(() => openAll().then(() => abort.abort()));
  }
  await openAll();
  return moment === 'start' ? run(() => undefined) : bytesIn(['/dev/null'], abort.signal);
};

await work().then(
  (result) => console.log(`done: ${JSON.stringify(result)}`),
  (error: unknown) => console.log(String(error)),
);
await sleep(50);

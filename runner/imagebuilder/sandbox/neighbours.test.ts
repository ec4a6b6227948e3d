import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MARKER, markerOf } from '#runner/processes/build-marker.ts';
import { markerOfProcess } from '#runner/processes/process-table.ts';
import { pidsOf } from '#runner/processes/testing/pids-of.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { runCommand } from '../process/run-command.ts';
import { availableSandboxes } from './choose-sandbox.ts';
import { DEFAULT_LIMITS, type Sandbox, TOOL_PATH } from './sandbox.ts';

const OTHER_SERVER = fileURLToPath(new URL('../testing/try-sandboxes.ts', import.meta.url));
const OTHER_BUILD = fileURLToPath(new URL('../testing/hold-build.ts', import.meta.url));
const FIRST_UID = 59_100;
const SETPRIV = 'setpriv';
const dropTo = (uid: string) => ['--reuid', uid, '--regid', uid, '--clear-groups'];

const directory = await temporaryDirectory();
await chmod(directory, 0o755);
const available = await availableSandboxes({ directory, limits: DEFAULT_LIMITS, firstUid: FIRST_UID });

let places = 0;
async function start(sandbox: Sandbox, script: string) {
  const slot = await sandbox.slots.take();
  const tree = join(directory, `tree-${places++}`);
  await mkdir(tree, { mode: 0o700 });
  const uid = sandbox.uidOf(slot);
  if (uid !== undefined) await chown(tree, uid, uid);
  const abort = new AbortController();
  const command = sandbox.confine(['sh', '-c', script], { tree, readOnly: {}, slot }, { marker: markerOf(tree) });
  const over = runCommand(command, { signal: abort.signal, timeoutMs: 600_000, maxOutputBytes: 10_000 });
  return {
    uid,
    end: async () => {
      abort.abort();
      await over;
      sandbox.slots.give(slot);
    },
  };
}

/** Waits until `count` processes run `sleep <seconds>`, and returns their pids. */
async function sleeping(seconds: string, count: number): Promise<number[]> {
  for (;;) {
    const pids = await pidsOf(`sleep\0${seconds}`);
    if (pids.length >= count) return pids.sort();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('servers on one machine', () => {
  it('leave each other’s builds alone when they start', { timeout: 300_000 }, async () => {
    const builds = await Promise.all(
      available.map(async (sandbox, index) => {
        const seconds = `31${index}8881`;
        const sleep = `sleep ${seconds}`;
        const { end } = await start(sandbox, `${sleep} & env -i ${sleep} & (${sleep} & :); setsid env -i ${sleep} & wait`);
        return { level: sandbox.level, seconds, end, pids: await sleeping(seconds, 4) };
      }),
    );
    await promisify(execFile)(process.execPath, [OTHER_SERVER, directory, String(FIRST_UID), '50']);
    const left = await Promise.all(builds.map(async ({ level, seconds }) => [level, (await pidsOf(`sleep\0${seconds}`)).sort()]));
    await Promise.all(builds.map(({ end }) => end()));
    // In `plain` the process that left its session and cleared its environment cannot be told apart from others.
    for (const { seconds } of builds) for (const pid of await pidsOf(`sleep\0${seconds}`)) process.kill(pid, 'SIGKILL');
    expect(left).toEqual(builds.map(({ level, pids }) => [level, pids]));
  });
});

describe.each(available.filter(({ level }) => level === 'uid'))('the end of a build in $level', (sandbox) => {
  it('ends nothing that may belong to another server, even if it has the build’s uid', async () => {
    const slot = await sandbox.slots.take();
    sandbox.slots.give(slot);
    const uid = String(sandbox.uidOf(slot));
    const build = await start(sandbox, 'sleep 3188882; :');
    expect(String(build.uid)).toBe(uid);
    await sleeping('3188882', 1);
    const children: ChildProcess[] = [
      // This process belongs to another server, which does not see our claims.
      spawn(process.execPath, [OTHER_BUILD, uid, '3188883'], { stdio: 'ignore' }),
      // A process that can gain privileges was not started in a sandbox.
      spawn(SETPRIV, [...dropTo(uid), 'sleep', '3188883'], { env: { PATH: TOOL_PATH }, stdio: 'ignore' }),
    ];
    const others = await sleeping('3188883', 3);
    await build.end();
    const left = (await pidsOf('sleep\x003188883')).sort();
    for (const pid of left) process.kill(pid, 'SIGKILL');
    for (const child of children) child.kill('SIGKILL');
    expect(left).toEqual(others);
    expect(await pidsOf('3188882')).toEqual([]);
  });

  it('ends a process with a forged marker, or with the marker of another build of this server', async () => {
    const other = await start(sandbox, 'sleep 3188885; :');
    const neighbour = (await sleeping('3188885', 1))[0] ?? 0;
    const real = markerOfProcess(neighbour) ?? '';
    expect(real).not.toBe('');
    const abandoned = `${markerOf(directory)}.another`;
    const living = `0123456789abcdef.build.${process.pid}.0123abcd`;
    const forge = (marker: string) => `setsid env ${MARKER}=${marker} sleep 3188884 &`;
    const memory = { ...sandbox.memory, cgroups: undefined };
    const build = await start(
      { ...sandbox, memory, confine: (...args) => ({ ...sandbox.confine(...args), memory }) },
      `${[abandoned, living, real].map(forge).join(' ')} sleep 3188884; :`,
    );
    await sleeping('3188884', 4);
    await build.end();
    const left = await pidsOf('sleep\x003188884');
    for (const pid of left) process.kill(pid, 'SIGKILL');
    const stillThere = await pidsOf('sleep\x003188885');
    await other.end();
    expect(left).toEqual([]);
    expect(stillThere).toEqual([neighbour]);
  });
});

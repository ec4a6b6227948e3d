import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { closedDirectory } from '#runner/files/own-directory.ts';
import { uidSlots as slotsAt } from './uid-slots.ts';

const HOLDER = fileURLToPath(new URL('../testing/hold-slot.ts', import.meta.url));

/**
 * The first uid of each test. No two tests share one, and builds use none of them, because other tests may run at the
 * same time.
 */
let firstUid = 100_000 + (process.pid % 1000) * 10_000;
const children: ChildProcess[] = [];
const directory = await mkdtemp(join(tmpdir(), 'asu-slots-'));
const place = join(directory, 'locks');
afterAll(() => rm(directory, { recursive: true }));
const uidSlots = (first: number) => slotsAt(first, [place]);
afterEach(async () => {
  firstUid += 1000;
  await Promise.all(children.splice(0).map(end));
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Starts another server's process, and returns it with the slot that it got. */
async function holder(): Promise<{ child: ChildProcess; slot: number }> {
  const child = spawn(process.execPath, [HOLDER, String(firstUid), place], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, slot: Number(line) };
}

describe('uidSlots', () => {
  it('gives no slot twice within this process, and gives a returned slot again', async () => {
    const [one, other] = [uidSlots(firstUid), uidSlots(firstUid)];
    expect((await Promise.all([one.take(), other.take(), one.take()])).sort()).toEqual([0, 1, 2]);
    other.give(1);
    expect(await one.take()).toBe(1);
  });

  it('gives different slots to the servers of a machine, even while they have no build', async () => {
    const ours = uidSlots(firstUid);
    expect(await ours.take()).toBe(0);
    ours.give(0);
    const [first, second] = await Promise.all([holder(), holder()]);
    expect([first.slot, second.slot].sort()).toEqual([1, 2]);
    expect(await ours.take()).toBe(0);
  });

  it('reuses what a killed server had', async () => {
    const { child, slot } = await holder();
    expect(slot).toBe(0);
    await end(child);
    expect(await uidSlots(firstUid).take()).toBe(0);
  });

  it('skips a uid while one of its processes lives', async () => {
    const ours = process.getuid?.() ?? 0;
    const uid = ours === 0 ? firstUid : ours;
    const child = spawn('sleep', ['60'], ours === 0 ? { uid, gid: uid } : {});
    children.push(child);
    await once(child, 'spawn');
    const slots = uidSlots(uid);
    expect(await slots.take()).toBe(1);
  });

  it('lets no process without our rights hold a slot: a socket name blocks none', async () => {
    const squatters = await Promise.all(
      [0, 1].map(async (slot) => {
        const server = createServer().listen({ path: `\0asu-build-uid-${firstUid + slot}` });
        await once(server, 'listening');
        return server;
      }),
    );
    expect(await uidSlots(firstUid).take()).toBe(0);
    for (const squatter of squatters) squatter.close();
  });

  it('keeps its locks where no other user may enter', async () => {
    await uidSlots(firstUid).take();
    const found = await Promise.any(['/run/asu-build-uids', place].map((path) => stat(path)));
    expect([found.uid, found.mode & 0o7777]).toEqual([process.getuid?.(), 0o700]);
  });
});

describe('closedDirectory', () => {
  it('accepts no link, and no directory of another user', async () => {
    await mkdir(join(directory, 'real'));
    await symlink(join(directory, 'real'), join(directory, 'link'));
    await expect(closedDirectory(join(directory, 'link'))).rejects.toThrow('found a symbolic link');
    if (process.getuid?.() !== 0) return;
    await chown(join(directory, 'real'), 12_345, 12_345);
    await expect(closedDirectory(join(directory, 'real'))).rejects.toThrow('belongs to another user');
  });
});

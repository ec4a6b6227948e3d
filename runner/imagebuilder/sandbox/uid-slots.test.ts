import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { uidSlots } from './uid-slots.ts';

const HOLDER = fileURLToPath(new URL('../testing/hold-slot.ts', import.meta.url));

/** Each test its own, and none that builds have: other tests may run at the same time. */
let firstUid = 100_000 + (process.pid % 1000) * 10_000;
const children: ChildProcess[] = [];
afterEach(async () => {
  firstUid += 1000;
  await Promise.all(children.splice(0).map(end));
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Another server's process, and the slot that it got. */
async function holder(): Promise<{ child: ChildProcess; slot: number }> {
  const child = spawn(process.execPath, [HOLDER, String(firstUid)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, slot: Number(line) };
}

describe('uidSlots', () => {
  it('gives no slot twice, whoever asks in this process, and a slot given back again', async () => {
    const [one, other] = [uidSlots(firstUid), uidSlots(firstUid)];
    expect((await Promise.all([one.take(), other.take(), one.take()])).sort()).toEqual([0, 1, 2]);
    other.give(1);
    expect(await one.take()).toBe(1);
  });

  it('gives different slots to the servers of a machine, also while they have no build', async () => {
    const ours = uidSlots(firstUid);
    expect(await ours.take()).toBe(0);
    ours.give(0);
    const [first, second] = await Promise.all([holder(), holder()]);
    expect([first.slot, second.slot].sort()).toEqual([1, 2]);
    expect(await ours.take()).toBe(0);
  });

  it('takes over what a killed server had', async () => {
    const { child, slot } = await holder();
    expect(slot).toBe(0);
    await end(child);
    expect(await uidSlots(firstUid).take()).toBe(0);
  });

  it('leaves out uids of which a process lives', async () => {
    const ours = process.getuid?.() ?? 0;
    const uid = ours === 0 ? firstUid : ours;
    const child = spawn('sleep', ['60'], ours === 0 ? { uid, gid: uid } : {});
    children.push(child);
    await once(child, 'spawn');
    const slots = uidSlots(uid);
    expect(await slots.take()).toBe(1);
  });
});

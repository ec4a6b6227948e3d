import { randomInt, randomUUID } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '#runner/files/remove-tree.ts';
import { runCommand } from '../run-command.ts';
import { bwrapSandbox } from './bwrap-sandbox.ts';
import { findTool } from './host-tools.ts';
import { withinHardLimits } from './limits.ts';
import { plainSandbox } from './plain-sandbox.ts';
import type { ResourceLimits, Sandbox, SandboxLevel } from './sandbox.ts';
import { dropArgv, uidSandbox } from './uid-sandbox.ts';

export interface SandboxOptions {
  /** Where builds will live: what a sandbox cannot reach there it cannot be used for. */
  readonly directory: string;
  readonly limits: ResourceLimits;
  /** First of the about 800 uids of which builds get one each when we are root. */
  readonly firstUid: number;
}

const UID_BLOCKS = 50;
const UIDS_PER_BLOCK = 16;

/** A probe does next to nothing. */
const PROBE_MS = 10_000;

/** Every sandbox that works on this machine, strongest first, at most one per level; each was tried. The last is always `plain`. */
export async function availableSandboxes({ directory, limits: wanted, firstUid }: SandboxOptions): Promise<Sandbox[]> {
  const limits = await withinHardLimits(wanted);
  const [bwrap, unshare, setpriv, prlimit] = await Promise.all(['bwrap', 'unshare', 'setpriv', 'prlimit'].map((name) => findTool(name)));
  const isRoot = process.getuid?.() === 0;
  // Servers on one machine know nothing of each other: it is unlikely that they choose the same block.
  const block = firstUid + UIDS_PER_BLOCK * randomInt(UID_BLOCKS);
  const uidOf = (slot: number) => block + slot;

  const candidates: Sandbox[] = [];
  if (bwrap !== undefined && prlimit !== undefined) {
    if (isRoot && setpriv !== undefined)
      candidates.push(await bwrapSandbox({ bwrap, prlimit, limits, uidOf, drop: (uid) => dropArgv(setpriv, uid) }));
    candidates.push(await bwrapSandbox({ bwrap, prlimit, limits }));
  }
  if (isRoot && setpriv !== undefined && prlimit !== undefined) {
    if (unshare !== undefined) candidates.push(uidSandbox({ setpriv, prlimit, unshare, limits, uidOf }));
    candidates.push(uidSandbox({ setpriv, prlimit, limits, uidOf }));
  }
  candidates.push(plainSandbox({ prlimit, limits }));

  const available: Sandbox[] = [];
  for (const sandbox of candidates) {
    if (available.some(({ level }) => level === sandbox.level)) continue;
    if (await works(sandbox, directory)) available.push(sandbox);
  }
  // prlimit may be refused too (seccomp): a build without limits is then all there is.
  return available.some(({ level }) => level === 'plain') ? available : [...available, plainSandbox({ prlimit: undefined, limits })];
}

/** The strongest sandbox there is, or the one of `level`; throws when that one does not work here. */
export async function chooseSandbox(options: SandboxOptions, level?: SandboxLevel): Promise<Sandbox> {
  const available = await availableSandboxes(options);
  const chosen = level === undefined ? available[0] : available.find((sandbox) => sandbox.level === level);
  if (chosen === undefined)
    throw new Error(`Sandbox ${level} does not work on this machine; what does: ${available.map((sandbox) => sandbox.level).join(', ')}`);
  return chosen;
}

/** Tries it on a real directory: a build must read what is shared with it and write what is its own, with network and without. */
async function works(sandbox: Sandbox, directory: string): Promise<boolean> {
  const probe = join(directory, `probe.${process.pid}.${randomUUID().slice(0, 8)}`);
  const tree = join(probe, 'tree');
  const shared = join(probe, 'shared');
  try {
    await mkdir(join(tree, 'part'), { recursive: true });
    await mkdir(shared);
    await writeFile(join(shared, 'file'), 'shared');
    const uid = sandbox.uidOf(0);
    if (uid !== undefined) await Promise.all([tree, join(tree, 'part')].map((path) => chown(path, uid, uid)));
    const place = { tree, readOnly: sandbox.mountsReadOnlyParts ? { part: shared } : {}, slot: 0 };
    const read = sandbox.mountsReadOnlyParts ? `${sandbox.treeInside(place)}/part/file` : join(shared, 'file');
    for (const network of [true, false]) {
      const command = sandbox.confine(['cp', '--', read, `${sandbox.treeInside(place)}/copy-${network}`], place, { network });
      const { end, exitCode } = await runCommand(command, {
        signal: new AbortController().signal,
        timeoutMs: PROBE_MS,
        maxOutputBytes: 65_536,
        marker: probe,
      });
      if (end !== 'exit' || exitCode !== 0) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    await removeTree(probe).catch(() => undefined);
  }
}

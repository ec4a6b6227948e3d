import { randomUUID } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from '#runner/files/remove-tree.ts';
import { markerOf } from '#runner/processes/build-marker.ts';
import { runCommand } from '../process/run-command.ts';
import { runTool } from '../process/run-tool.ts';
import { bwrapSandbox } from './bwrap-sandbox.ts';
import { findCgroups } from './cgroups.ts';
import { findTool } from './host-tools.ts';
import { withinHardLimits } from './limits.ts';
import { plainSandbox } from './plain-sandbox.ts';
import type { MemoryBound, ResourceLimits, Sandbox, SandboxLevel } from './sandbox.ts';
import { dropArgv, uidSandbox, unshareSandbox } from './uid-sandbox.ts';
import { uidSlots } from './uid-slots.ts';

export interface SandboxOptions {
  /** The directory where builds will live. A sandbox that cannot reach it is of no use. */
  readonly directory: string;
  readonly limits: ResourceLimits;
  /** The first of the 800 uids from which each build gets one when we are root. */
  readonly firstUid: number;
}

/** The time limit on a probe, which does next to nothing. */
const PROBE_MS = 10_000;

/**
 * Returns every sandbox that works on this machine, strongest first, at most one per level. It tries each one. The last
 * is always `plain`.
 */
export async function availableSandboxes(options: SandboxOptions): Promise<Sandbox[]> {
  const available: Sandbox[] = [];
  for (const sandbox of await candidates(options)) {
    if (available.some(({ level }) => level === sandbox.level)) continue;
    if (await works(sandbox, options.directory)) available.push(sandbox);
  }
  return available.some(({ level }) => level === 'plain') ? available : [...available, await unlimited(options)];
}

/**
 * Returns the strongest sandbox, or the one of `level`; throws when that one does not work here. It does not try weaker
 * ones.
 */
export async function chooseSandbox(options: SandboxOptions, level?: SandboxLevel): Promise<Sandbox> {
  for (const sandbox of await candidates(options))
    if ((level === undefined || sandbox.level === level) && (await works(sandbox, options.directory))) return sandbox;
  if (level === undefined || level === 'plain') return unlimited(options);
  const working = (await availableSandboxes(options)).map((sandbox) => sandbox.level);
  throw new Error(`Sandbox ${level} does not work on this machine; what does: ${working.join(', ')}`);
}

/** Returns the sandboxes for which this machine has the programs, strongest first. */
async function candidates({ directory, limits: wanted, firstUid }: SandboxOptions): Promise<Sandbox[]> {
  const limits = await withinHardLimits(wanted);
  const [bwrap, unshare, setpriv, prlimit] = await Promise.all(['bwrap', 'unshare', 'setpriv', 'prlimit'].map((name) => findTool(name)));
  const memory = await memoryBound(limits);
  const isRoot = process.getuid?.() === 0;
  const slots = uidSlots(firstUid, [join(dirname(directory), 'uid-locks')]);
  const uidOf = (slot: number) => firstUid + slot;

  const found: Sandbox[] = [];
  if (bwrap !== undefined && prlimit !== undefined) {
    const common = { bwrap, prlimit, limits, memory, sizesTmpfs: await sizesTmpfs(bwrap) };
    if (isRoot && setpriv !== undefined)
      found.push(await bwrapSandbox({ ...common, uids: { slots, uidOf, drop: (uid) => dropArgv(setpriv, uid) } }));
    found.push(await bwrapSandbox(common));
  }
  if (isRoot && setpriv !== undefined && prlimit !== undefined) {
    const common = { setpriv, prlimit, limits, memory, slots, uidOf };
    if (unshare !== undefined) found.push(unshareSandbox({ ...common, unshare }));
    found.push(uidSandbox(common));
  }
  return [...found, plainSandbox({ prlimit, limits, memory })];
}

/** prlimit may be refused, too (seccomp). Then only builds without limits are possible. */
const unlimited = async ({ limits }: SandboxOptions): Promise<Sandbox> =>
  plainSandbox({ prlimit: undefined, limits, memory: await memoryBound(limits) });

/** The cgroups, which are looked up once: that may move this process to another cgroup. */
let cgroups: ReturnType<typeof findCgroups> | undefined;

async function memoryBound({ totalMemoryBytes: bytes }: ResourceLimits): Promise<MemoryBound> {
  cgroups ??= findCgroups();
  return { bytes, cgroups: await cgroups };
}

const sizesTmpfs = (bwrap: string): Promise<boolean> =>
  runTool(bwrap, ['--help'], { cwd: '/', signal: AbortSignal.timeout(PROBE_MS) }).then(
    (help) => help.includes('--size BYTES'),
    () => false,
  );

/**
 * Succeeds in bash (which every ImageBuilder needs) if the kernel has a way to 127.0.0.1: a datagram's socket connects without a
 * listener. The fakeroot of ImageBuilders talks to its daemon there.
 */
const LOOPBACK_IS_UP = 'exec 3<>/dev/udp/127.0.0.1/9';

/**
 * Tries a sandbox on a real directory: a build must be able to read what is shared with it and to write its own files.
 * Where it has no network, it needs a loopback of its own.
 */
async function works(sandbox: Sandbox, directory: string): Promise<boolean> {
  const probe = join(directory, `probe.${process.pid}.${randomUUID().slice(0, 8)}`);
  const slot = await sandbox.slots.take();
  try {
    return await worksIn(probe, sandbox, slot);
  } catch {
    return false;
  } finally {
    sandbox.slots.give(slot);
    await removeTree(probe).catch(() => undefined);
  }
}

async function worksIn(probe: string, sandbox: Sandbox, slot: number): Promise<boolean> {
  const tree = join(probe, 'tree');
  const shared = join(probe, 'shared');
  await mkdir(join(tree, 'part'), { recursive: true });
  await mkdir(shared);
  await writeFile(join(shared, 'file'), 'shared');
  const uid = sandbox.uidOf(slot);
  if (uid !== undefined) await Promise.all([tree, join(tree, 'part')].map((path) => chown(path, uid, uid)));
  const place = { tree, readOnly: sandbox.mountsReadOnlyParts ? { part: shared } : {}, slot };
  const read = sandbox.mountsReadOnlyParts ? `${sandbox.treeInside(place)}/part/file` : join(shared, 'file');
  const copy = ['cp', '--', read, `${sandbox.treeInside(place)}/copy`];
  const argv = sandbox.hasNamespaces ? ['bash', '-c', `${LOOPBACK_IS_UP} && exec "$@"`, 'bash', ...copy] : copy;
  const { end, exitCode } = await runCommand(sandbox.confine(argv, place, { marker: markerOf(probe) }), {
    signal: new AbortController().signal,
    timeoutMs: PROBE_MS,
    maxOutputBytes: 65_536,
  });
  return end === 'exit' && exitCode === 0;
}

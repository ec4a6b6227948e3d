import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { imageJobsArgument } from '#core/imagebuilder/commands.ts';
import { demoUpstreamDirectory } from '#demo/upstream/generate.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { removeUnpacked, unpackImagebuilder } from '#demo/upstream/unpacked-imagebuilder.ts';
import { report } from './machine.ts';
import { offerImagebuilder, realImagebuilders, removeRealImagebuilders } from './real-imagebuilders.ts';

/**
 * Measures the memory of one `make image` with 1, 2 and 4 images at the same time: the most that all its processes have
 * together (what they share counts once), and the most that one has. `npm run bench:memory` uses the demo's ImageBuilder of
 * x86/64, or the real ones in the directory that `ASU_BENCH_IMAGEBUILDERS` names. Page cache is left out: the kernel takes
 * it back.
 */
const JOBS = [1, 2, 4];
const LOOK_EVERY_MS = 20;

interface Place {
  readonly name: string;
  readonly directory: string;
  readonly profile: string;
}

/** Runs make in a session of its own, and returns the peaks in megabytes. */
async function peaks({ directory, profile }: Place, jobs: number): Promise<{ all: number; one: number }> {
  const bin = join(directory, 'bin');
  const argv = ['image', `PROFILE=${profile}`, `BIN_DIR=${bin}`, ...(jobs === 1 ? [] : [imageJobsArgument(jobs)])];
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', HOME: '/tmp' };
  const child = spawn('sh', ['-c', 'umask 022; exec make "$@"', 'make', ...argv], { cwd: directory, env, stdio: 'ignore', detached: true });
  const over = once(child, 'exit');
  let [all, one] = [0, 0];
  while (child.exitCode === null) {
    const sizes = await sizesOfSession(child.pid ?? 0);
    all = Math.max(
      all,
      sizes.reduce((sum, kb) => sum + kb, 0),
    );
    one = Math.max(one, ...sizes);
    await sleep(LOOK_EVERY_MS);
  }
  await over;
  if (child.exitCode !== 0) throw new Error(`make image ended with ${child.exitCode}`);
  await rm(bin, { recursive: true });
  return { all: Math.round(all / 1024), one: Math.round(one / 1024) };
}

/** Returns the memory of each process of a session in kilobytes: its own, and its share of what it shares. */
async function sizesOfSession(session: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) !== session) return 0;
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    }),
  );
  return sizes.filter((kb) => kb > 0);
}

const upstream = await serveDemoUpstream();
try {
  const places: Place[] = [];
  for (const name of await realImagebuilders()) {
    const { directory, request } = await offerImagebuilder(upstream, name);
    places.push({ name, directory, profile: request.profile });
  }
  if (places.length === 0) {
    const { directory } = await unpackImagebuilder(await demoUpstreamDirectory(), 'releases/24.10.2/targets/x86/64', upstream.url);
    places.push({ name: '24.10.2 x86/64', directory, profile: 'generic' });
  }
  for (const place of places)
    for (const jobs of JOBS) {
      const { all, one } = await peaks(place, jobs);
      report('memory', { build: place.name, jobs, all_processes_mb: all, largest_process_mb: one });
    }
} finally {
  await upstream.close();
  await removeUnpacked();
  await removeRealImagebuilders();
}

import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { isNearlyFull } from '#runner/files/nearly-full.ts';
import { TOOL_PATH } from '../sandbox/sandbox.ts';

const run = promisify(execFile);

/** How often the file system is asked how much room it has, which costs nothing. */
const LOOK_EVERY_MS = 1_000;
/** How often the files of a build are summed up: every so many looks. */
const LOOKS_PER_SUM = 5;
/** Summing up some ten thousand files takes a tenth of a second; where it takes this long there are far more. */
const SUM_TIMEOUT_MS = 60_000;

/** A watch over what a build takes. */
interface GrowthWatch {
  /** Aborts with the failure that the build is to end with. */
  readonly signal: AbortSignal;
  stop(): void;
}

/**
 * Watches a directory while a build runs in it. Files of more than `maxBytes` on the disk are the request's fault (`BuildFailure`): the same
 * packages would fill it again. A file system that is nearly full, whoever has filled it, is an error with code ENOSPC as if it were.
 */
export function watchGrowth(directory: string, maxBytes: number, lookEveryMs = LOOK_EVERY_MS): GrowthWatch {
  const failed = new AbortController();
  const stopped = new AbortController();

  const look = async (isSum: boolean): Promise<void> => {
    if (await isNearlyFull(directory)) return failed.abort(Object.assign(new Error('The disk is nearly full'), { code: 'ENOSPC' }));
    if (!isSum || ((await bytesIn(directory, stopped.signal)) ?? 0) <= maxBytes) return;
    failed.abort(new BuildFailure(`The build took more than ${Math.round(maxBytes / 1024 ** 2)} MB of disk and was ended`));
  };
  const watch = async (): Promise<void> => {
    for (let looks = 1; !failed.signal.aborted; looks++) {
      await sleep(lookEveryMs, undefined, { signal: stopped.signal, ref: false });
      // What cannot be looked at now is looked at again.
      await look(looks % LOOKS_PER_SUM === 0).catch(() => undefined);
    }
  };
  watch().catch(() => undefined);
  return { signal: failed.signal, stop: () => stopped.abort() };
}

/**
 * What the files below a directory take on its disk, links unfollowed, other file systems left out. `du` walks trees deeper than any path
 * may be long, and does it beside us. `undefined`: it did not come to an end.
 */
async function bytesIn(directory: string, signal: AbortSignal): Promise<number | undefined> {
  const options = { env: { PATH: TOOL_PATH, LC_ALL: 'C' }, cwd: '/', signal, timeout: SUM_TIMEOUT_MS };
  const { stdout } = await run('du', ['-s', '-x', '--block-size=1', '--', directory], options).catch(
    // Files that go while it walks make it exit with 1; the sum is there all the same.
    (error: unknown) => error as { stdout?: string },
  );
  const sum = /^\d+/.exec(stdout ?? '')?.[0];
  return sum === undefined ? undefined : Number(sum);
}

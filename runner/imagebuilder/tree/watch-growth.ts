import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { isNearlyFull } from '#runner/files/nearly-full.ts';
import { TOOL_PATH } from '../sandbox/sandbox.ts';

/** The interval at which the file system is asked for its free space, which is cheap. */
const LOOK_EVERY_MS = 1_000;
/** The number of such checks after which a build's files are summed up. */
const LOOKS_PER_SUM = 5;
/**
 * The time limit on a sum. Tens of thousands of files take a tenth of a second; a build that takes this long has far
 * more.
 */
const SUM_TIMEOUT_MS = 60_000;

/** A watch over the disk space that a build takes. */
interface GrowthWatch {
  /** Aborts with the failure that ends the build. */
  readonly signal: AbortSignal;
  stop(): void;
}

export interface GrowthOptions {
  /** Returns further paths whose files count at this moment. */
  readonly outside?: () => Promise<readonly string[]>;
  /**
   * Returns the bytes on disks that no sum over directories includes: files without a name that processes have open.
   */
  readonly held?: () => Promise<number>;
  readonly lookEveryMs?: number;
  readonly sumTimeoutMs?: number;
}

/**
 * Watches a directory while a build runs in it. Files of more than `maxBytes` are the request's fault (`BuildFailure`),
 * because the same packages would fill the disk again. A file system that is nearly full, for any reason, is an error
 * with code ENOSPC, as if it were full. If the size cannot be measured twice in a row, the build ends too
 * (`InfrastructureFailure`), because nothing else limits it.
 */
export function watchGrowth(directory: string, maxBytes: number, options: GrowthOptions = {}): GrowthWatch {
  const { outside = async () => [], held = async () => 0, lookEveryMs = LOOK_EVERY_MS, sumTimeoutMs = SUM_TIMEOUT_MS } = options;
  const failed = new AbortController();
  const stopped = new AbortController();

  const sum = async (): Promise<number> => {
    const paths = [directory, ...(await outside())];
    return (await bytesIn(paths, AbortSignal.any([stopped.signal, AbortSignal.timeout(sumTimeoutMs)]))) + (await held());
  };
  const look = async (isSum: boolean): Promise<void> => {
    if (await isNearlyFull(directory)) failed.abort(Object.assign(new Error('The disk is nearly full'), { code: 'ENOSPC' }));
    else if (isSum && (await sum()) > maxBytes)
      failed.abort(new BuildFailure(`The build took more than ${Math.round(maxBytes / 1024 ** 2)} MB of disk and was ended`));
  };
  const watch = async (): Promise<void> => {
    let isUnknown = false;
    for (let looks = 1; !failed.signal.aborted; looks++) {
      await sleep(lookEveryMs, undefined, { signal: stopped.signal, ref: false });
      const isSum = isUnknown || looks % LOOKS_PER_SUM === 0;
      try {
        await look(isSum);
        if (isSum) isUnknown = false;
      } catch (cause) {
        if (stopped.signal.aborted) return;
        if (isUnknown)
          failed.abort(new InfrastructureFailure('It cannot be found out how much disk the build takes, and it was ended', { cause }));
        isUnknown = true;
      }
    }
  };
  watch().catch(() => undefined);
  return { signal: failed.signal, stop: () => stopped.abort() };
}

/**
 * Returns the disk space of the files below some paths. It counts each file once, follows no links and stays on each
 * path's file system. `du` walks trees deeper than any path may be long, in another process. It throws when `du` does
 * not finish.
 */
export async function bytesIn(paths: readonly string[], signal: AbortSignal): Promise<number> {
  // There may be millions of complaints, so they are ignored. `du` exits with 1 when files disappear meanwhile, but
  // still prints the sum.
  const child: ChildProcess = spawn(DU, ['-s', '-x', '-c', '--block-size=1', '--', ...paths], {
    env: { PATH: TOOL_PATH, LC_ALL: 'C' },
    cwd: '/',
    signal,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // Rejects if `du` does not start; Node then may have made no stream either.
  const closed = once(child, 'close');
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MAX_TOTAL_LINE);
  });
  await closed;
  signal.throwIfAborted();
  const total = /(?:^|\n)(\d+)\ttotal\n$/.exec(said)?.[1];
  if (total === undefined) throw new Error('du did not come to an end');
  return Number(total);
}

const MAX_TOTAL_LINE = 100;

const DU = 'du';

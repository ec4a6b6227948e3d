import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { isNearlyFull } from '#runner/files/nearly-full.ts';
import { TOOL_PATH } from '../sandbox/sandbox.ts';

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

export interface GrowthOptions {
  /** Further paths whose files count, as they are at the time. */
  readonly outside?: () => Promise<readonly string[]>;
  /** Bytes on disks that no sum over directories has: files without a name that processes have open. */
  readonly held?: () => Promise<number>;
  readonly lookEveryMs?: number;
  readonly sumTimeoutMs?: number;
}

/**
 * Watches a directory while a build runs in it. Files of more than `maxBytes` on the disk are the request's fault (`BuildFailure`): the same
 * packages would fill it again. A file system that is nearly full, whoever has filled it, is an error with code ENOSPC as if it were.
 * Where it cannot be found out twice in a row what the files take, the build ends too (`InfrastructureFailure`): nothing else bounds it.
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
 * What the files below some paths take on their disks, each file once, links unfollowed, other file systems left out. `du` walks trees
 * deeper than any path may be long, and does it beside us. Throws where it comes to no end.
 */
export async function bytesIn(paths: readonly string[], signal: AbortSignal): Promise<number> {
  // Its complaints may be millions; files that go while it walks make it exit with 1, and the sum is there all the same.
  const child = spawn(DU, ['-s', '-x', '-c', '--block-size=1', '--', ...paths], {
    env: { PATH: TOOL_PATH, LC_ALL: 'C' },
    cwd: '/',
    signal,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MAX_TOTAL_LINE);
  });
  await once(child, 'close');
  signal.throwIfAborted();
  const total = /(?:^|\n)(\d+)\ttotal\n$/.exec(said)?.[1];
  if (total === undefined) throw new Error('du did not come to an end');
  return Number(total);
}

const MAX_TOTAL_LINE = 100;

const DU = 'du';

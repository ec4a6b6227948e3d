import type { Fault } from '#demo/upstream/faults.ts';
import { seededRandom } from './seeded-random.ts';

/** Something that goes wrong during the run. */
export type Disturbance = { readonly afterMs: number } & (
  | ({ readonly kind: 'kill' | 'terminate' } & Stop)
  /** The server is killed while it starts. */
  | { readonly kind: 'kill-starting'; readonly startedMs: number; readonly afterBuilds: number; readonly pick: number }
  | { readonly kind: 'upstream'; readonly files: string; readonly fault: Fault; readonly times: number; readonly lastsMs: number }
  | { readonly kind: 'clock'; readonly seconds: number }
);

interface Stop {
  /** The log message to wait for, for at most some seconds. `any`: no message. */
  readonly moment: string;
  readonly delayMs: number;
  /** How many builds have to end first since the last stop, so that a slow machine gets on, too. */
  readonly afterBuilds: number;
  readonly downMs: number;
  /** Whether the cache of ImageBuilders is emptied while the server is down, so that they are downloaded again. */
  readonly emptiesCache: boolean;
  /** Which of several processes, as a fraction of their number. */
  readonly pick: number;
}

export type DisturbanceKind = Disturbance['kind'];

const STREAM = 2;
const WEIGHTS: Readonly<Record<DisturbanceKind, number>> = { kill: 34, terminate: 14, 'kill-starting': 5, upstream: 33, clock: 14 };

/** Messages of a build's life, after which a kill hits what comes next. */
const MOMENTS = ['any', 'any', 'build started', 'build step entered', 'build done', 'build said', 'builds swept'] as const;

/** The files of upstream that faults meet, as regular expressions. */
const FILES = [
  'sha256sums$',
  'imagebuilder.*\\.tar',
  'Packages\\.gz$|packages\\.adb$|Packages$',
  'index\\.json$',
  'profiles\\.json$',
  '\\.(ipk|apk)$',
  '\\.versions\\.json$|\\.targets\\.json$',
  '/',
] as const;

const FAULTS: readonly Fault[] = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'html' },
  { kind: 'truncated' },
  { kind: 'truncated', announced: false },
  { kind: 'wrong-bytes' },
  { kind: 'reset' },
  { kind: 'hang' },
  { kind: 'slow', ms: 1_500 },
];

/** Steps of the clock that are far below the life of a kept result and far above all other times. */
const CLOCK_STEPS = [2, 15, 45, 90, 300, 1_200] as const;

/** Returns what goes wrong, in its order, which depends on the seed alone. */
export function* disturbances(seed: number): Generator<Disturbance, never> {
  const random = seededRandom(seed, STREAM);
  for (;;) {
    const afterMs = random.between(50, 600);
    const kind = random.weighted(WEIGHTS);
    switch (kind) {
      case 'kill':
      case 'terminate':
        yield {
          afterMs,
          kind,
          moment: random.oneOf(MOMENTS),
          delayMs: random.fraction() < 0.5 ? random.between(0, 20) : random.between(0, 400),
          afterBuilds: random.between(0, 4),
          downMs: random.between(0, 100),
          emptiesCache: random.fraction() < 0.2,
          pick: random.fraction(),
        };
        break;
      case 'kill-starting':
        yield { afterMs, kind, startedMs: random.between(50, 900), afterBuilds: random.between(0, 4), pick: random.fraction() };
        break;
      case 'upstream':
        yield {
          afterMs,
          kind,
          files: random.oneOf(FILES),
          fault: random.oneOf(FAULTS),
          times: random.between(1, 6),
          lastsMs: random.between(500, 5_000),
        };
        break;
      case 'clock':
        yield { afterMs, kind, seconds: random.oneOf(CLOCK_STEPS) * random.oneOf([1, -1]) };
        break;
    }
  }
}

import type { BuildEnd, CountedBuild, Figures } from '#core/statistics/counts.ts';
import { NO_FIGURES } from '#core/statistics/counts.ts';
import type { Statistics } from '#core/statistics/ports.ts';

export interface MemoryStatistics extends Statistics {
  /** The sums over all time. */
  figures(): Figures;
  /** The builds that were counted, and whether their end was. */
  counted(): readonly (CountedBuild & { readonly isEnded: boolean })[];
}

const OUTCOMES = { success: 'successes', failure: 'failures', cancelled: 'cancelled' } as const;

/** Statistics in memory: each build is counted once, and its end once. */
export function memoryStatistics(): MemoryStatistics {
  const sums: { -readonly [name in keyof Figures]: number } = { ...NO_FIGURES };
  const builds = new Map<string, CountedBuild & { isEnded: boolean }>();
  const start = ({ hash, enqueuedAt }: CountedBuild) => {
    const key = `${hash} ${enqueuedAt}`;
    const known = builds.get(key);
    if (known !== undefined) return known;
    const build = { hash, enqueuedAt, isEnded: false };
    builds.set(key, build);
    sums.misses += 1;
    return build;
  };
  return {
    count: async ({ hits, joined, rejected }) => {
      sums.hits += hits;
      sums.joined += joined;
      sums.rejected += rejected;
    },
    started: async (build) => void start(build),
    ended: async (end: BuildEnd) => {
      const build = start(end);
      if (build.isEnded) return false;
      build.isEnded = true;
      sums[OUTCOMES[end.outcome]] += 1;
      return true;
    },
    unended: async (before, limit, ahead) => {
      const open = [...builds.values()].filter(({ isEnded }) => !isEnded).sort((a, b) => (a.enqueuedAt < b.enqueuedAt ? -1 : 1));
      const early = ahead === undefined ? [] : open.filter(({ enqueuedAt }) => enqueuedAt > ahead.toISOString());
      return [...early, ...open.filter(({ enqueuedAt }) => enqueuedAt < before.toISOString())]
        .slice(0, limit)
        .map(({ hash, enqueuedAt }) => ({ hash, enqueuedAt }));
    },
    figures: () => ({ ...sums }),
    counted: () => [...builds.values()],
  };
}

import type {
  BuildEnd,
  BuildError,
  CountedBuild,
  Figures,
  Ranked,
  RankedKind,
  RequestCounts,
  SubjectCount,
  VersionCount,
} from './counts.ts';

/**
 * Counts requests and builds. Each call is one durable write, atomic for each build; counts of different processes add
 * up. Over all time `requests = hits + misses + joined + rejected` and `misses = successes + failures + cancelled + in
 * flight` (I7), whatever is reported twice, late, out of order or by several processes.
 */
export interface Statistics {
  /**
   * Adds what a process has summed up since its last call. Not idempotent: counts of requests may be lost or added
   * twice. Throws a `PartlyCountedError` if some counts were written; after any other error, none was.
   */
  count(counts: RequestCounts): Promise<void>;
  /** Called when a claim was won: one miss, once per build. */
  started(build: CountedBuild): Promise<void>;
  /**
   * Called when a build has ended: it is counted once, with its miss if its start was not reported. The first report
   * counts; returns false for a later one.
   */
  ended(end: BuildEnd): Promise<boolean>;
  /**
   * Returns the builds accepted before `before`, or after `ahead` (as in `BuildSweep`), whose end was not reported,
   * oldest first: they wait or run, or the report got lost.
   */
  unended(before: Date, limit: number, ahead?: Date): Promise<CountedBuild[]>;
}

/**
 * Returns what was counted, without going through single builds; callers cache the answers for some seconds all the
 * same.
 */
export interface StatisticsReport {
  /**
   * The sums per hour (`2026-11-20T14`) or day (`2026-11-20`), both bounds included, oldest first, without those that
   * have none. Callers ask for the hours of two days at most.
   */
  figures(by: 'hour' | 'day', from: Date, until: Date): Promise<(Figures & { start: string })[]>;
  /** Successful builds by day and version, both days included, in no order. */
  versions(from: Date, until: Date): Promise<VersionCount[]>;
  /**
   * The most frequent of the days (both included), at most `limit`, by count and then by name. `branch`: of one
   * branch's builds, packages only.
   */
  top(kind: RankedKind, from: Date, until: Date, options: { limit: number; branch?: string }): Promise<Ranked[]>;
  /**
   * The requests of the days (both included) by version, target and profile: at most `limit`, most requests first and
   * then by name.
   */
  subjects(from: Date, until: Date, limit: number): Promise<SubjectCount[]>;
  /** The newest failures that may be shown, newest first. */
  errors(limit: number): Promise<BuildError[]>;
}

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
 * What is counted. Each call is one durable write, atomic for each build; counts of different processes add up. Over all time
 * `requests = hits + misses + joined + rejected` and `misses = successes + failures + cancelled + in flight` (I7), whatever is
 * told twice, late, out of order or by several processes.
 */
export interface Statistics {
  /**
   * Adds what a process has summed up since it last did. Not idempotent: what is lost or told twice are counts of requests. Fails with
   * a `PartlyCountedError` where some was written all the same, else with nothing written.
   */
  count(counts: RequestCounts): Promise<void>;
  /** A claim was won: one miss, once per build. */
  started(build: CountedBuild): Promise<void>;
  /**
   * A build has ended: counted once per build, with its miss if nobody told of its start. The first word counts; false: it
   * had been told before.
   */
  ended(end: BuildEnd): Promise<boolean>;
  /**
   * Builds accepted before `before`, or after `ahead` (as in `BuildSweep`), whose end nobody has told, oldest first: they are under
   * way, or their end got lost.
   */
  unended(before: Date, limit: number, ahead?: Date): Promise<CountedBuild[]>;
}

/** What was counted, read without going through single builds; callers keep answers for some seconds all the same. */
export interface StatisticsReport {
  /**
   * Sums per hour (`2026-11-20T14`) or day (`2026-11-20`), both bounds included, oldest first; those without any are left out.
   * Hours are asked for no more than two days.
   */
  figures(by: 'hour' | 'day', from: Date, until: Date): Promise<(Figures & { start: string })[]>;
  /** Successful builds by day and version, both days included, in no order. */
  versions(from: Date, until: Date): Promise<VersionCount[]>;
  /** The most frequent of the days (both included), at most `limit`, by count and then by name. `branch`: of one branch's builds, packages only. */
  top(kind: RankedKind, from: Date, until: Date, options: { limit: number; branch?: string }): Promise<Ranked[]>;
  /** What was asked for in the days (both included), by version, target and profile: at most `limit`, most requests first and then by name. */
  subjects(from: Date, until: Date, limit: number): Promise<SubjectCount[]>;
  /** The newest failures that may be shown, newest first. */
  errors(limit: number): Promise<BuildError[]>;
}

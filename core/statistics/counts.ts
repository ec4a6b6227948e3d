import { DEFAULT_DISTRO } from '#core/catalogue/distro.ts';
import type { RequestHash } from '#core/request/request-hash.ts';

/**
 * One claim that was won. A hash may be built again after it expired, failed or was cancelled, so the time of
 * acceptance belongs to the identity: one pair starts once and ends once, however many attempts, runners and messages
 * it took.
 */
export interface CountedBuild {
  readonly hash: RequestHash;
  /** As in the build's row; the miss is counted in its hour. */
  readonly enqueuedAt: string;
}

/**
 * The outcomes of requests that passed the schema, summed up in memory. Misses are not among them: each is counted with
 * the build that it started. Requests are the sum of the four, never a counter of their own, so they cannot disagree.
 */
export interface RequestCounts {
  /** ISO 8601; its hour and day are counted. */
  readonly at: string;
  /** Answered from a build that had ended. */
  readonly hits: number;
  /** Joined a build that waits or runs. */
  readonly joined: number;
  /** Refused after the schema: unsupported, not allowed, unknown packages, overload. */
  readonly rejected: number;
  /** Requests by client, misses included: `owut/2026.04` → 3. */
  readonly clients: Readonly<Record<string, number>>;
  /** Accepted requests by version, target and profile (`subjectName`), misses included. */
  readonly subjects: Readonly<Record<string, SubjectRequests>>;
}

export interface SubjectRequests {
  readonly requests: number;
  readonly hits: number;
}

/** Returns the version as statistics name it: with its distribution if that is another one than OpenWrt. */
export const countedVersion = (distro: string, version: string): string => (distro === DEFAULT_DISTRO ? version : `${distro}/${version}`);

/** `24.10.2 ath79/generic 8dev_carambola2`: none of the three has a space in it. */
export const subjectName = ({ version, target, profile }: Omit<BuildSubject, 'branch'>): string => `${version} ${target} ${profile}`;

/** The requests for one device, and what became of them. */
export interface SubjectCount extends Omit<BuildSubject, 'branch'>, SubjectRequests {
  readonly failures: number;
}

export function subjectCount(name: string, { requests, hits, failures }: SubjectRequests & { readonly failures: number }): SubjectCount {
  const [version = '', target = '', profile = ''] = name.split(' ');
  return { version, target, profile, requests, hits, failures };
}

type BuildEndOutcome = 'success' | 'failure' | 'cancelled';

/** A build that has ended, as far as statistics may know it. `buildEnd` makes it, and leaves out what is private. */
export interface BuildEnd extends CountedBuild {
  readonly endedAt: string;
  readonly outcome: BuildEndOutcome;
  /** The time from the last start to the end, for successes. */
  readonly milliseconds: number;
  /** Absent when neither row nor order is left. */
  readonly subject?: BuildSubject;
  /** The packages requested beyond those that the profile has anyway, for successes. */
  readonly packages: readonly string[];
  /** Anonymous, at most 200 characters (`anonymousError`), for failures. */
  readonly error?: string;
}

interface BuildSubject {
  readonly branch: string;
  readonly version: string;
  readonly target: string;
  readonly profile: string;
}

/** The sums of one hour or day. Over all time, `misses = successes + failures + cancelled + in flight`. */
export interface Figures {
  readonly hits: number;
  readonly misses: number;
  readonly joined: number;
  readonly rejected: number;
  readonly successes: number;
  readonly failures: number;
  readonly cancelled: number;
  /** The time that all successes took together. */
  readonly buildMilliseconds: number;
}

/** Requests that passed the schema (I7). */
export const requestsOf = ({ hits, misses, joined, rejected }: Pick<Figures, 'hits' | 'misses' | 'joined' | 'rejected'>): number =>
  hits + misses + joined + rejected;

export const NO_FIGURES: Figures = {
  hits: 0,
  misses: 0,
  joined: 0,
  rejected: 0,
  successes: 0,
  failures: 0,
  cancelled: 0,
  buildMilliseconds: 0,
};

export const sumOf = (many: readonly Figures[]): Figures => {
  const sum: { -readonly [name in keyof Figures]: number } = { ...NO_FIGURES };
  for (const figures of many) for (const name of Object.keys(NO_FIGURES) as (keyof Figures)[]) sum[name] += figures[name];
  return sum;
};

/** The kinds of ranks: packages of successful builds, targets of successful builds, clients of requests. */
export type RankedKind = 'package' | 'target' | 'client';

export interface Ranked {
  readonly name: string;
  readonly count: number;
}

/** Successful builds of one version on one day (UTC). */
export interface VersionCount {
  /** `2026-11-20`. */
  readonly day: string;
  readonly version: string;
  readonly count: number;
}

export interface BuildError {
  /** ISO 8601. */
  readonly at: string;
  readonly version: string;
  readonly target: string;
  readonly profile: string;
  readonly message: string;
}

/** The number of errors that are remembered; older ones are removed. */
export const MAX_BUILD_ERRORS = 5_000;
/** How long ranks are kept by day: their readers look 30 days back. */
export const RANKED_DAYS = 35;
/** How long an ended build is remembered at least, so that its end is not counted again: longer than any row lives. */
export const COUNTED_BUILD_DAYS = 60;

/** `2026-11-20T14` of an ISO 8601 time in UTC. */
export const hourOf = (time: string): string => time.slice(0, 13);
/** `2026-11-20` of the same. */
export const dayOf = (time: string): string => time.slice(0, 10);

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A build of an earlier version, as its client knew it. */
export interface RecordedBuild {
  /** The property that sets the build apart; tests use it in their names. */
  readonly name: string;
  /** The body that the client posted. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

/** A build that had ended, with the answer that its client got. */
export interface AnsweredBuild extends RecordedBuild {
  /** SHA-256 of the answer's body, in lower-case hex. */
  readonly sha256: string;
  /** Paths of the files that the answer lists; empty for a failure. */
  readonly files: readonly string[];
}

/** Sums of everything that the earlier version counted. */
export interface RecordedStatistics {
  readonly requests: number;
  readonly hits: number;
  readonly failures: number;
  /** Number of successful builds. */
  readonly successes: number;
  /** Number of successful builds by package. */
  readonly packages: Readonly<Record<string, number>>;
  /** Messages of the failures that anybody may read. */
  readonly errors: readonly string[];
}

/** The promises that come with the data of an earlier version, for one way of running. */
export interface Facts {
  /** The commit whose code wrote the data. */
  readonly commit: string;
  /** The time at which the last of the data was written. */
  readonly recordedAt: string;
  /** `UPSTREAM_URL` of the processes that wrote the data. */
  readonly upstreamUrl: string;
  /** Finished builds: the server still answers each and serves its files. */
  readonly done: readonly AnsweredBuild[];
  /** Finished builds with `defaults`: the same, and only a client that knows the hash may read them. */
  readonly privately: readonly AnsweredBuild[];
  /** Accepted and unfinished builds: the server finishes each. */
  readonly accepted: readonly RecordedBuild[];
  /** Builds that failed because of their request: the server repeats the answer. */
  readonly failed: readonly AnsweredBuild[];
  /** Builds that failed for another reason: the server repeats the answer, and builds when a client posts the request again. */
  readonly failedForNow: readonly AnsweredBuild[];
  /** Cancelled builds: the server says so, and builds when a client posts the request again. */
  readonly cancelled: readonly RecordedBuild[];
  /** Builds past their time to live: the server removes each with its files, for good. */
  readonly expired: readonly AnsweredBuild[];
  /** Requests that were only prepared, with the hash that the client was given. */
  readonly forecasts: readonly RecordedBuild[];
  readonly statistics: RecordedStatistics;
  /** Text of `/signing-key.pub`; absent where the way of running serves none. */
  readonly signingKey?: string;
}

export type WayOfRunning = 'standalone' | 'aws';

/** The data of one earlier version. */
export interface Recording {
  /** The commit of that version. */
  readonly name: string;
  readonly directory: string;
  readonly facts: Facts;
}

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** The directory with the small downloads.openwrt.org that a recording's builds were made from. */
export const upstreamDirectory = (name: string): string => join(FIXTURES, name, 'upstream');

/**
 * The settings of processes that build with a recorded ImageBuilder. Those of 7f38cfb download packages with curl, as no
 * ImageBuilder of OpenWrt does, and a build without network has wget alone (docs/decisions/0048). Their builds therefore
 * run at a level that shares the network.
 */
export const RECORDED_IMAGEBUILDER_SETTINGS = { SANDBOX: 'plain' } as const;

/** Every recording: `fixtures/` has a folder for each recorded version. */
export function recordings(way: WayOfRunning): Recording[] {
  return readdirSync(FIXTURES).map((name) => {
    const directory = join(FIXTURES, name, way);
    return { name, directory, facts: JSON.parse(readFileSync(join(directory, 'facts.json'), 'utf8')) as Facts };
  });
}

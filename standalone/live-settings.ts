import { isDeepStrictEqual } from 'node:util';
import type { Context } from 'hono';
import type { AdmitBuild } from '#core/build/submit-build.ts';
import type { TimesToLive } from '#core/build/times-to-live.ts';
import type { Branch } from '#core/catalogue/branches.ts';
import type { ServerFacts } from '#core/catalogue/overview.ts';
import { buildRequestParser, type ParseBuildRequest } from '#core/request/parse-build-request.ts';
import type { Policy } from '#core/request/validate-request.ts';
import type { HttpEnv } from '#http/http-app.ts';
import { maxBodyBytes } from '#http/json-body.ts';
import { admitBuilds } from '#http/rate-limit/admit-builds.ts';
import { type ClientAddress, clientAddress } from '#http/rate-limit/client-address.ts';
import { shareOf } from '#http/rate-limit/share-of.ts';
import { rateOf } from '#http/rate-limit/token-buckets.ts';
import { serverFacts } from '#settings/server-facts.ts';
import { VERSION } from '#settings/version.ts';
import type { StandaloneConfig } from './config.ts';

/**
 * The settings that may change while the server runs, in the form that its parts need. Each call returns what is in
 * force then.
 */
export interface LiveSettings {
  readonly policy: Policy;
  readonly timesToLive: TimesToLive;
  readonly parseRequest: () => ParseBuildRequest;
  readonly maxBodyBytes: () => number;
  readonly maxPendingBuilds: () => number;
  /** How many builds one client may have in progress or waiting; 0: any number. */
  readonly maxPendingPerClient: () => number;
  readonly clientAddress: ClientAddress;
  readonly rebuildPauseSeconds: () => number;
  /** Whether a request is refused whose packages cannot be installed. */
  readonly refusesImpossible: () => boolean;
  /** Admits or refuses a client that is about to begin a build. */
  readonly admit: (c: Context<HttpEnv>) => AdmitBuild | undefined;
  readonly serverFacts: () => ServerFacts;
  /** Puts new settings into force. */
  replace(config: StandaloneConfig): void;
}

export function liveSettings(initial: StandaloneConfig): LiveSettings {
  let config = initial;
  let parse = parserFor(config);
  let admit = admissionFor(config);
  let address = clientAddress(config.TRUSTED_PROXIES);
  return {
    policy: {
      get allowDefaults(): boolean {
        return config.ALLOW_DEFAULTS;
      },
      get repositoryAllowList(): readonly string[] {
        return config.REPOSITORY_ALLOW_LIST;
      },
      get branches(): readonly Branch[] {
        return config.BRANCHES;
      },
    },
    timesToLive: {
      get buildSeconds(): number {
        return config.BUILD_TTL;
      },
      get unversionedSeconds(): number {
        return config.BUILD_TTL_UNVERSIONED;
      },
      get defaultsSeconds(): number {
        return config.BUILD_DEFAULTS_TTL;
      },
      get failureSeconds(): number {
        return config.BUILD_FAILURE_TTL;
      },
    },
    parseRequest: () => parse,
    maxBodyBytes: () => maxBodyBytes(config.MAX_DEFAULTS_LENGTH),
    maxPendingBuilds: () => config.MAX_PENDING_JOBS,
    maxPendingPerClient: () => shareOf(config.MAX_PENDING_PER_CLIENT, config.MAX_PENDING_JOBS),
    clientAddress: (...from) => address(...from),
    rebuildPauseSeconds: () => config.REBUILD_PAUSE,
    refusesImpossible: () => config.REFUSE_IMPOSSIBLE === 'refuse',
    admit: (c) => admit?.(c),
    serverFacts: () => serverFacts(config, VERSION),
    replace: (next) => {
      // New buckets are full, so a client that has used up its own would get another: they stay unless a limit changes.
      if (RATE_LIMITS.some((name) => !isDeepStrictEqual(config[name], next[name]))) admit = admissionFor(next);
      config = next;
      address = clientAddress(next.TRUSTED_PROXIES);
      parse = parserFor(next);
    },
  };
}

const parserFor = ({ MAX_DEFAULTS_LENGTH: maxDefaultsLength, MAX_CUSTOM_ROOTFS_SIZE_MB: maxCustomRootfsSizeMb }: StandaloneConfig) =>
  buildRequestParser({ maxDefaultsLength, maxCustomRootfsSizeMb });

const RATE_LIMITS = ['RATE_LIMIT_BUILDS_PER_HOUR', 'RATE_LIMIT_BUILDS_BURST', 'TRUSTED_PROXIES'] as const;

function admissionFor({ RATE_LIMIT_BUILDS_PER_HOUR, RATE_LIMIT_BUILDS_BURST, TRUSTED_PROXIES }: StandaloneConfig) {
  const rate = rateOf(RATE_LIMIT_BUILDS_PER_HOUR, RATE_LIMIT_BUILDS_BURST);
  return rate && admitBuilds({ rate, clientAddress: clientAddress(TRUSTED_PROXIES) });
}

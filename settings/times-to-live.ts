import type * as z from 'zod';
import type { TimesToLive } from '#core/build/times-to-live.ts';
import type { timeToLiveSettings } from './function-settings.ts';

/** How long outcomes are kept, from settings with the reference server's names. */
export const timesToLive = (
  config: {
    [Name in keyof typeof timeToLiveSettings]: z.output<(typeof timeToLiveSettings)[Name]>;
  },
): TimesToLive => ({
  buildSeconds: config.BUILD_TTL,
  unversionedSeconds: config.BUILD_TTL_UNVERSIONED,
  defaultsSeconds: config.BUILD_DEFAULTS_TTL,
  failureSeconds: config.BUILD_FAILURE_TTL,
});

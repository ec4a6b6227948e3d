import { REBUILD_PAUSE_SECONDS } from '#core/build/build.ts';
import { seconds } from './kinds.ts';

/**
 * How long a failure that is not the request's fault is answered before the build begins again. It stands apart from
 * the other settings, since functions that know nothing of builds would carry its default in their bundles.
 */
export const rebuildSettings = { REBUILD_PAUSE: seconds.default(REBUILD_PAUSE_SECONDS) };

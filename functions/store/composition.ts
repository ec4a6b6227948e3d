import type { FindImage } from '#core/build/find-image.ts';
import type { ArtifactStore } from '#core/stores.ts';
import type { Composition } from '../composition.ts';
import { storeApp } from './app.ts';

/**
 * The store function, over stores whose owner checks that they are there. Without `findImage`
 * only `bin_dir` names a directory.
 */
export const composeStore = (
  config: { readonly SIGNING_KEY?: string | undefined },
  artifacts: ArtifactStore,
  findImage?: FindImage,
): Composition => ({
  routes: [storeApp({ artifacts, signingKey: config.SIGNING_KEY, findImage })],
  checks: {},
});

import type { ArtifactStore } from '#core/stores.ts';
import type { Composition } from '../composition.ts';
import { storeApp } from './app.ts';

/** The store function, over a store whose owner checks that it is there. */
export const composeStore = (config: { readonly SIGNING_KEY?: string | undefined }, artifacts: ArtifactStore): Composition => ({
  routes: [storeApp({ artifacts, signingKey: config.SIGNING_KEY })],
  checks: {},
});

import type { ArtifactStore } from '#core/stores.ts';

const readOnly = () => Promise.reject(new Error('Nothing is stored here'));

/** A store that has nothing: behind a bucket that is asked first, what comes this far is not there. */
export const noArtifacts: ArtifactStore = {
  put: readOnly,
  putFile: readOnly,
  remove: readOnly,
  read: async () => undefined,
  open: async () => undefined,
  stat: async () => undefined,
};

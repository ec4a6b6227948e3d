import type { ArtifactStore } from '#core/stores.ts';

const readOnly = () => Promise.reject(new Error('Nothing is stored here'));

/**
 * A store that has nothing. CloudFront asks the bucket first, so a request that comes this far is for something that is
 * not there, or is there under another path.
 */
export const noArtifacts: ArtifactStore = {
  put: readOnly,
  putFile: readOnly,
  remove: readOnly,
  read: async () => undefined,
  open: async () => undefined,
  stat: async () => undefined,
};

import { lambda } from '../lambda.ts';
import { publicKey } from '../signing-keys.ts';

/** The function that answers 404 for files that the bucket does not have and for unknown paths. */
export const store = lambda('Store', 'store', { memory: '256 MB', environment: { SIGNING_KEY: publicKey } });

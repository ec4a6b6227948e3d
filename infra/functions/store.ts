import { lambda } from '../lambda.ts';
import { publicKey } from '../signing-keys.ts';

/** Words the 404 of what the bucket does not have, and of paths that nobody knows. */
export const store = lambda('Store', 'store', { memory: '256 MB', environment: { SIGNING_KEY: publicKey } });

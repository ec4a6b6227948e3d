import { lambda } from '../lambda.ts';
import { publicKey } from '../signing-keys.ts';

/** The function that answers 404 for unknown paths, and `/health`. It has no clients. */
export const store = lambda('Store', 'store', { memory: '256 MB', environment: { SIGNING_KEY: publicKey } });

import { config } from '../config.ts';
import { lambda } from '../lambda.ts';

/** The prepare function, which has no state. It reads the catalogue over HTTP and may only write its log in AWS. */
export const prepare = lambda('Prepare', 'prepare', { environment: { CATALOGUE_URL: config.UPSTREAM_URL } });

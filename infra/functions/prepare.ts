import { config } from '../config.ts';
import { lambda } from '../lambda.ts';

/** Stateless: reads the catalogue over HTTP, and may do nothing in AWS but write its log. */
export const prepare = lambda('Prepare', 'prepare', { environment: { CATALOGUE_URL: config.UPSTREAM_URL } });

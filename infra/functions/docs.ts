import { lambda } from '../lambda.ts';

/** The OpenAPI document, and the page to read and try it. */
export const docs = lambda('Docs', 'docs', { memory: '256 MB' });

import { lambda } from '../lambda.ts';

/** The function that serves the OpenAPI document and the documentation page. */
export const docs = lambda('Docs', 'docs', { memory: '256 MB' });

import manifest from '../../package.json' with { type: 'json' };
import { openApiDocument } from './document.ts';

/** Where the document is kept: what serves it carries neither zod schemas nor generator. */
export const committedDocument = new URL('openapi.json', import.meta.url);

export const documentText = (): string => `${JSON.stringify(openApiDocument(manifest), null, 2)}\n`;

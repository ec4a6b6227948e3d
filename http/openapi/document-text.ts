import manifest from '../../package.json' with { type: 'json' };
import { openApiDocument } from './document.ts';

/** The place of the document. Code that serves it needs neither zod schemas nor the generator. */
export const committedDocument = new URL('openapi.json', import.meta.url);

export const documentText = (): string => `${JSON.stringify(openApiDocument(manifest), null, 2)}\n`;

import { writeFile } from 'node:fs/promises';
import { committedDocument, documentText } from './document-text.ts';

/** `npm run openapi`: writes the document. A test fails when it is out of date. */
await writeFile(committedDocument, documentText());

import type { Composition } from '../composition.ts';
import { docsApp, type ReadAsset } from './app.ts';

/** The docs function, which needs nothing but the files of its page. */
export const composeDocs = (readAsset: ReadAsset): Composition => ({ routes: [docsApp({ readAsset })], checks: {} });

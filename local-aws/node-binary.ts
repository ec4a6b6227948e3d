import { fileURLToPath } from 'node:url';

/** The Node that the project is pinned to, whichever one runs this. */
export const nodeBinary = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

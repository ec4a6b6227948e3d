import { fileURLToPath } from 'node:url';

/** The path of the Node version that the project pins. The Node that runs this module may be another. */
export const nodeBinary = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

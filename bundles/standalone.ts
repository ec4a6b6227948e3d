import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleStandalone } from './bundle-standalone.ts';
import { ROOT } from './esbuild-options.ts';

// The command behind `npm run bundle:standalone`: it makes `dist/asu.mjs`.
const path = join(ROOT, 'dist', 'asu.mjs');
const bytes = await bundleStandalone(path);
await chmod(path, 0o755);
process.stdout.write(`dist/asu.mjs   ${(bytes / 1024 / 1024).toFixed(1)} MB\n`);

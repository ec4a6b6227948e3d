import { join } from 'node:path';
import { bundleFunctions } from './bundle-functions.ts';
import { bundleRunner } from './bundle-runner.ts';
import { ROOT } from './esbuild-options.ts';

// The command behind `npm run bundle`: it makes the files that `npx sst deploy` uploads.
for (const { name, bytes } of await bundleFunctions(join(ROOT, 'dist', 'functions')))
  process.stdout.write(`${name.padEnd(14)}${(bytes / 1024).toFixed(0).padStart(6)} KB\n`);
await bundleRunner(join(ROOT, 'dist', 'runner'));

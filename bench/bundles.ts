import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { bundleFunctions } from '../bundles/bundle-functions.ts';
import { report } from './machine.ts';

/**
 * Prints one JSON line per function with the size of its bundle and the median time that a new process takes to import
 * it. The function's own checks end the import, because it reaches no service.
 */
const RUNS = 9;
const IMPORT = `
const started = performance.now();
await import(process.argv[1]).catch(() => undefined);
process.stdout.write(String(performance.now() - started), () => process.exit(0));
`;
/** Settings with names of resources that do not exist: nothing listens at the endpoint. */
const ENV = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_MAX_ATTEMPTS: '1',
  BUILD_TABLE: 'none',
  STATISTICS_TABLE: 'none',
  ARTIFACT_BUCKET: 'none',
  BUILD_QUEUE_URL: 'http://127.0.0.1:9/none',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/none',
  S3_FORCE_PATH_STYLE: 'true',
};

const directory = await mkdtemp(join(tmpdir(), 'asu-bench-'));
try {
  for (const { name, path, bytes } of await bundleFunctions(directory)) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const args = ['--input-type=module', '--eval', IMPORT, '--', pathToFileURL(path).href];
      times.push(Number((await promisify(execFile)(process.execPath, args, { env: ENV })).stdout));
    }
    const importMs = times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
    report('bundle', { function: name, bytes, import_ms: Math.round(importMs) });
  }
} finally {
  await rm(directory, { recursive: true });
}

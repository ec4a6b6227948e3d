import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { startLocalStack } from '#local-aws/localstack/start.ts';
import { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from '../../local-aws/config.ts';
import { recordAws } from './generate/record-aws.ts';
import { recordStandalone } from './generate/record-standalone.ts';
import { generateSmallUpstream } from './generate/small-upstream.ts';
import { FIXTURES, upstreamDirectory } from './recordings.ts';

const USAGE = `Usage: node test/upgrade/generate.ts COMMIT

Records in fixtures/COMMIT/ the data that the checked-out code writes (see README.md here).
`;

/** Runs each way of running over one upstream, and records the data that it leaves. */
async function main(): Promise<void> {
  const [commit] = parseArgs({ allowPositionals: true }).positionals;
  if (commit === undefined) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  await mkdir(FIXTURES, { recursive: true });
  // A folder that exists makes this fail: it is never written again.
  await mkdir(join(FIXTURES, commit));
  await generateSmallUpstream(upstreamDirectory(commit));
  const upstream = await serveDemoUpstream({ directory: upstreamDirectory(commit) });
  const localStack = LOCALSTACK_URL ? { url: LOCALSTACK_URL, stop: async () => undefined } : await startLocalStack(LOCALSTACK_DIRECTORY);
  try {
    for (const [way, record] of [
      ['standalone', recordStandalone],
      ['aws', (directory: string) => recordAws(directory, commit, upstream, localStack.url)],
    ] as const) {
      await mkdir(join(FIXTURES, commit, way));
      await record(join(FIXTURES, commit, way), commit, upstream);
      process.stdout.write(`${way} recorded\n`);
    }
  } finally {
    await localStack.stop();
    await upstream.close();
  }
}

await main();

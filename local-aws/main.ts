import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { pause } from '#lib/pause.ts';
import { startLocalStack } from '#local-aws/localstack/start.ts';
import { bundleFunctions } from '../bundles/bundle-functions.ts';
import { bundleModule } from '../bundles/bundle-module.ts';
import { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from './config.ts';
import { DEVELOPMENT_NAMES } from './resources/aws-resources.ts';
import { startStack } from './stack.ts';

const USAGE = `Usage: npm run local:aws [-- --port N] [-- --runners N] [-- --quiet]

Runs on this machine what \`npx sst deploy\` puts on AWS: a LocalStack with tables, queues and a bucket, the functions as they are
deployed, a local API in place of CloudFront and API Gateway, a runner, and maintenance every minute. Upstream is a small
downloads.openwrt.org on this machine. Ctrl-C stops everything, and nothing is kept.

  --port N     port of the local API (default 8080)
  --runners N  number of runners (default 1)
  --quiet      do not print the log`;

/** The interval of the schedule in infra/maintenance.ts. */
const MAINTENANCE_EVERY_MS = 60_000;

const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      runners: { type: 'string', default: '1' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return say(USAGE);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const directory = await mkdtemp(join(tmpdir(), 'asu-local-aws-'));
    closers.push(() => rm(directory, { recursive: true, force: true }));
    say('starting LocalStack; the first start installs it …');
    const upstream = await serveDemoUpstream();
    closers.push(upstream.close);
    const runnerMain = join(directory, 'runner.mjs');
    const [localStack] = await Promise.all([
      LOCALSTACK_URL ? { url: LOCALSTACK_URL, stop: async () => undefined } : startLocalStack(LOCALSTACK_DIRECTORY),
      bundleFunctions(directory),
      bundleModule('runner/main.ts', runnerMain),
    ]);
    closers.push(localStack.stop);
    if (stop.signal.aborted) return;
    const stack = await startStack({
      localStackUrl: localStack.url,
      upstreamUrl: upstream.url,
      functionsDirectory: directory,
      runnerMain,
      port: Number(values.port),
      ...(!LOCALSTACK_URL && { names: DEVELOPMENT_NAMES }),
      env: { TRUSTED_KEYS: demoUpstreamKey.base64, MAX_RUNNERS: values.runners },
      ...(!values.quiet && { onLine: (source, line) => say(`${source.padEnd(14)} ${line}`) }),
    });
    closers.push(stack.stop);
    await Promise.all(Array.from({ length: Number(values.runners) }, () => stack.startRunner()));
    const maintenance = maintain(stack, stop.signal);
    const { table, statisticsTable, queueUrl, deadLetterUrl, bucket } = stack.resources;
    say(`
  local API     ${stack.url}
  upstream      ${upstream.url}
  LocalStack    ${localStack.url}  (AWS_ENDPOINT_URL; any credentials)
  tables        ${table}, ${statisticsTable}
  queues        ${queueUrl}
                ${deadLetterUrl}
  bucket        ${bucket}

  curl -s ${stack.url}/api/v1/build -H 'Content-Type: application/json' \\
    -d '{"version":"24.10.2","target":"x86/64","profile":"generic","packages":["vim"]}'

  Ctrl-C stops everything.
`);
    await pause(2 ** 31 - 1, stop.signal);
    say('stopping …');
    // A run of maintenance lasts up to half a minute. It need not finish: the next run does the rest.
    await Promise.race([maintenance, stack.functions.maintenance.stop()]);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function maintain(stack: Awaited<ReturnType<typeof startStack>>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const due = pause(MAINTENANCE_EVERY_MS, stop);
    // A failed run has logged its reason, and the next one is due all the same.
    await stack.maintain().catch(() => undefined);
    await due;
  }
}

await main();

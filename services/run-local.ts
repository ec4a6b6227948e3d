import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { LOCALSTACK_DIRECTORY } from '#local-aws/config.ts';
import { startLocalStack } from '#local-aws/localstack/start.ts';
import { DEVELOPMENT_NAMES } from '#local-aws/resources/aws-resources.ts';
import { createResources } from '#local-aws/resources/create-resources.ts';
import { localClients } from '#local-aws/resources/local-clients.ts';
import { ownEnvironment } from './config.ts';
import { localOptions } from './local-options.ts';
import { startTopology } from './start-topology.ts';

const USAGE = `Usage: npm run services [-- --demo] [--verbose]

Starts the services of compose.services.yaml as processes on this machine, without Docker, over their own LocalStack,
until Ctrl-C. They keep no data. Each service takes its settings from the environment, as compose.services.yaml gives
them, and UPSTREAM_URL.

  --demo      over the demo upstream, without the network
  --verbose   show the services' logs
`;

const { values } = parseArgs({
  options: { demo: { type: 'boolean' }, verbose: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) process.stdout.write(USAGE);
else await run();

async function run(): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const directory = await mkdtemp(join(tmpdir(), 'asu-services-'));
    ends.push(() => rm(directory, { recursive: true, force: true }));
    say('Starting LocalStack. The first start installs it, which takes a minute …');
    const localstack = await startLocalStack(LOCALSTACK_DIRECTORY);
    ends.push(localstack.stop);
    await createResources(localClients(localstack.url), DEVELOPMENT_NAMES);
    const demo = values.demo ? await serveDemoUpstream() : undefined;
    if (demo !== undefined) ends.push(demo.close);
    const topology = await startTopology({
      localstackUrl: localstack.url,
      ...localOptions(ownEnvironment(), demo?.url),
      directory,
      names: DEVELOPMENT_NAMES,
      ...(values.verbose && { onLine: (service: string, line: string) => say(`${service}: ${line}`) }),
    });
    ends.push(topology.close);
    for (const [name, url] of Object.entries(topology.urls)) say(`  ${name.padEnd(12)} ${url}`);
    say(`\nTry: curl -s ${topology.urls.gateway}/api/v1/prepare -H 'Content-Type: application/json' \\
  -d '{"version":"24.10.0","target":"ath79/generic","profile":"${values.demo ? 'test' : 'tplink_archer-c7-v2'}","packages":["luci","auc"]}'`);
    await stopped;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

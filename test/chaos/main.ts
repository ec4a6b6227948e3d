import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from '#local-aws/config.ts';
import { startLocalStack } from '#local-aws/localstack/start.ts';
import { journal } from './journal.ts';
import { ArgumentError, type ChaosArguments, readArguments, USAGE } from './read-arguments.ts';
import { runChaos } from './run-chaos.ts';
import { servicesSystem } from './services-system.ts';
import { standaloneSystem } from './standalone-system.ts';
import { steppedClock } from './stepped-clock.ts';
import { summaryLine } from './totals.ts';

const print = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2));
  if (given.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const stop = new AbortController();
  const interrupt = () => {
    print('Ending everything that this run has started …');
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const directory = await directoryOf(given);
  const upstream = await serveDemoUpstream();
  const ends: (() => Promise<unknown>)[] = [upstream.close];
  const startedAt = performance.now();
  const time = () => performance.now() - startedAt;
  const { seed, builds } = given;
  const into = (name: string) => (line: string) => appendFileSync(join(directory, name), `${line}\n`);
  const notes = journal({ seed, time, print, keep: into('events.log') });
  const clock = steppedClock(join(directory, 'clock'));
  try {
    print(`Seed ${seed}: ${builds} builds on the ${given.topology} server, in ${directory}`);
    const shared = { directory: join(directory, 'data'), upstreamUrl: upstream.url, clock };
    const localStack = given.topology === 'services' ? await localStackOf() : undefined;
    if (localStack !== undefined) ends.push(localStack.stop);
    const summary = await runChaos(
      { builds, seed, upstream, clock, journal: notes, time, stop: stop.signal, print, keepLine: into('server.log') },
      (hooks) =>
        localStack === undefined
          ? standaloneSystem({ ...shared, ...hooks })
          : servicesSystem({ ...shared, ...hooks, localStackUrl: localStack.url }),
    );
    if (stop.signal.aborted) print('The run was stopped early; what it would have checked at its end is not checked.');
    print(`Seed ${seed}, ${Math.round(time() / 1000)} s:`);
    print(summaryLine(summary));
    return summary.broken > 0 ? 1 : stop.signal.aborted ? 130 : 0;
  } finally {
    for (const end of ends.reverse()) await end();
    if (given.keep) print(`The data is kept in ${directory}`);
    else await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function localStackOf() {
  if (LOCALSTACK_URL !== undefined) return { url: LOCALSTACK_URL, stop: async () => undefined };
  print('Starting LocalStack. The first start installs it, which takes a minute …');
  return startLocalStack(LOCALSTACK_DIRECTORY);
}

async function directoryOf({ directory }: ChaosArguments): Promise<string> {
  if (directory === undefined) return mkdtemp(join(tmpdir(), 'asu-chaos-'));
  const path = resolve(directory);
  await mkdir(path, { recursive: true });
  if ((await readdir(path)).length > 0)
    throw new ArgumentError(`--dir ${directory}: expected an empty directory, or one that does not exist`);
  return path;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof ArgumentError ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = error instanceof ArgumentError ? 2 : 1;
}

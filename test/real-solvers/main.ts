import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageTable } from '#core/package-solver/index/package-table.ts';
import { solverGraph } from '#core/package-solver/index/solver-graph.ts';
import { apkCommand, solvePackages } from '#core/package-solver/solve-packages.ts';
import { finished } from '#lib/sliced.ts';
import { indexFilesOf, packagesOf, questionOf, type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { randomOf } from '../simulation/random.ts';
import { randomRequest } from './random-request.ts';
import { realApk } from './real-apk.ts';

/**
 * Asks a real package manager and the solver for the same random requests over real indexes, and compares what they would
 * install: `npm run test:real-solvers -- --requests 5000 --first 1`. `ASU_APK` names a program of apk-tools 3; without it
 * nothing is compared. The request of a seed is always the same.
 */
const WORLDS = ['apk-25.12-x86', 'apk-25.12-ath79', 'apk-25.12-filogic', 'apk-cunliu', 'apk-mutated'];
const MAX_SHOWN = 10;

const { values } = parseArgs({ options: { requests: { type: 'string', default: '5000' }, first: { type: 'string', default: '1' } } });
const [requests, first] = [Number(values.requests), Number(values.first)];
if (!Number.isSafeInteger(requests) || requests < 1 || !Number.isSafeInteger(first)) {
  console.error('usage: npm run test:real-solvers -- [--requests N] [--first SEED]');
  process.exit(2);
}
// biome-ignore lint/style/noProcessEnv: the program is no setting of the server.
const { ASU_APK: apk } = process.env;
if (apk === undefined) {
  console.log('left out: ASU_APK does not name an apk of apk-tools 3');
  process.exit(0);
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
let [asked, possible, differed, unsure] = [0, 0, 0, 0];
for (const [at, name] of WORLDS.entries()) {
  const directory = await mkdtemp(join(tmpdir(), 'asu-real-solvers-'));
  try {
    const world = recorded<RecordedWorld>(name);
    const packages = indexFilesOf(world).map((file) => packagesOf(world, file));
    const askable = (names: readonly string[]) => [...new Set(names)].filter((one) => /^[a-z0-9][a-z0-9._+-]*$/i.test(one));
    const own = askable(packages.flat().map((one) => one.name));
    const provided = askable(packages.flat().flatMap(({ provides }) => provides.map((other) => other.name)));
    const graph = solverGraph(packages.map((listed) => finished(packageTable(name, listed))));
    const ask = await realApk(apk, world, directory);
    for (let seed = first + at; seed < first + requests && !stop.signal.aborted; seed += WORLDS.length) {
      const request = randomRequest(world, { own, provided }, randomOf(seed, name));
      const question = questionOf(world, graph, request);
      const real = await ask(apkCommand(question).world);
      const { verdict, installed } = solvePackages(question);
      const found = verdict === 'yes' ? installed.map((one) => `${one.name} ${one.version}`).sort() : undefined;
      asked++;
      if (real !== undefined) possible++;
      if (verdict === 'unsure') unsure++;
      else if (real?.join() !== found?.join() && ++differed <= MAX_SHOWN) {
        const more = (one: readonly string[] = [], other: readonly string[] = []) =>
          one.filter((entry) => !other.includes(entry)).join(', ');
        console.log(`seed ${seed}, ${name}: ${request.packages.join(' ')}`);
        console.log(
          `  apk: ${real ? `installs ${more(real, found) || 'less'}` : 'fails'}; solver: ${found ? `installs ${more(found, real) || 'less'}` : 'says no'}`,
        );
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  console.log(`${name}: ${asked} requests so far, ${possible} possible, ${differed} differ, ${unsure} unsure`);
}
process.exitCode = differed > 0 ? 1 : 0;

import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { forecastRequest } from '#core/request/forecast/forecast-request.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { preparationMemory } from '#core/request/preparation-memory.ts';
import { prepareBuild } from '#core/request/prepare-build.ts';
import { preparedBody } from '#http/prepared-response.ts';
import { serveRecordedWorlds } from '#test/support/recorded-upstream.ts';
import { type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { report } from './machine.ts';
import { quantile } from './request-times.ts';

/**
 * Measures what prepare takes with its forecast on the real indexes of 25.12.0 for x86/64, with 10,900 packages: from
 * upstream, by a process that finds the tables in the shared store, and warm. `npm run bench:forecast` runs it.
 */
const ROUNDS = 5;

const world = recorded<RecordedWorld>('apk-25.12-x86');
const X86 = { version: '25.12.0', target: 'x86/64' };
const upstream = await serveRecordedWorlds([{ world, ...X86 }]);
const records = memoryRecordStore();
const parse = buildRequestParser();

/** Returns a function that prepares requests as a process does that has just been started. */
function startedProcess() {
  const catalogue = upstreamCatalogue({ baseUrl: upstream.url, records, now: () => new Date() });
  const policy = { allowDefaults: false, repositoryAllowList: [], branches: DEFAULT_BRANCHES };
  const deps = { catalogue, policy, memory: preparationMemory() };
  return async ({ profile, packages, diff_packages }: RecordedWorld['pairs'][number]): Promise<number> => {
    const before = performance.now();
    const request = parse({ ...X86, profile, packages, diff_packages });
    JSON.stringify(preparedBody(await forecastRequest(deps, (options) => prepareBuild(deps, request, options))));
    return performance.now() - before;
  };
}

const [first] = world.pairs;
if (first === undefined) throw new Error('the recording has no requests');
const fromUpstream = await startedProcess()(first);
const prepare = startedProcess();
const fromStore = await prepare(first);
const possible = world.pairs.filter(({ ok }) => ok);
const times: number[] = [];
for (let round = 0; round < ROUNDS; round++) for (const pair of possible) times.push(await prepare(pair));
await upstream.close();
report('forecast', {
  from_upstream_ms: Math.round(fromUpstream),
  from_store_ms: Math.round(fromStore),
  warm_p50_ms: quantile(times.slice(possible.length), 0.5),
  warm_p99_ms: quantile(times.slice(possible.length), 0.99),
});

import { packageTable } from '#core/package-solver/index/package-table.ts';
import { solverGraph } from '#core/package-solver/index/solver-graph.ts';
import { bytesOfTable, tableFromBytes } from '#core/package-solver/index/table-bytes.ts';
import { solvePackages } from '#core/package-solver/solve-packages.ts';
import { finished } from '#lib/sliced.ts';
import { indexFilesOf, packagesOf, questionOf, type RecordedPair, type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { report } from './machine.ts';
import { quantile } from './request-times.ts';

/**
 * Measures the package solver on the real indexes of 25.12.0 for x86/64, with 10,900 packages: the time to read the indexes
 * and to open their tables, the size of the tables, and the CPU time of a question. `npm run bench:solver` runs it.
 */
const ROUNDS = 20;

const world = recorded<RecordedWorld>('apk-25.12-x86');

function timed<T>(act: () => T): [ms: number, value: T] {
  const before = process.cpuUsage();
  const value = act();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1000, value];
}

const files = indexFilesOf(world);
const [readMs, read] = timed(() => files.map((file) => finished(packageTable('packages.adb', packagesOf(world, file)))));
const bytes = read.map(bytesOfTable);
const [openMs, tables] = timed(() => bytes.map((one) => finished(tableFromBytes(one))).filter((table) => table !== undefined));
const graph = solverGraph(tables);
const ask = (pair: RecordedPair, asked = graph) => solvePackages(questionOf(world, asked, pair));
const [firstMs] = timed(() => world.pairs[0] && ask(world.pairs[0], solverGraph(tables)));
const times = Array.from({ length: ROUNDS }, () => world.pairs.map((pair) => timed(() => ask(pair))[0]));
const warm = times.slice(1).flat();
report('solver', {
  table_mb: Math.round(bytes.reduce((sum, { length }) => sum + length, 0) / 1e5) / 10,
  read_ms: Math.round(readMs),
  open_ms: Math.round(openMs),
  first_ms: Math.round(firstMs),
  p50_ms: quantile(warm, 0.5),
  p99_ms: quantile(warm, 0.99),
  max_ms: quantile(warm, 1),
});

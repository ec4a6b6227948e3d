import { buildTableContract } from '#test/contracts/build-table.ts';
import { buildTableReadersContract } from '#test/contracts/build-table-readers.ts';
import { memoryBuildTable } from './memory-build-table.ts';

/** Milliseconds that reads are behind. */
const BEHIND_MS = 100;
const clock = () => performance.now();
const inMemory = () => memoryBuildTable(clock, () => undefined);

buildTableContract('in memory', inMemory);

buildTableReadersContract('in memory', () => {
  const table = inMemory();
  return { table, reader: table, reads: 'strong' };
});

buildTableReadersContract('in memory, with reads that are behind', () => {
  const table = inMemory();
  return { table, reader: table.behind(() => BEHIND_MS), reads: 'behind' };
});

import { buildSweepContract } from '#test/contracts/build-sweep.ts';
import { queuePositionsContract } from '#test/contracts/queue-positions.ts';
import { memoryBuildSweep, memoryQueuePositions } from './memory-build-lists.ts';
import { memoryBuildTable } from './memory-build-table.ts';

/** Milliseconds that lists and counts are behind. */
const BEHIND_MS = 100;
const clock = () => performance.now();
const behind = () => BEHIND_MS;

queuePositionsContract('in memory, with counts that are behind', () => {
  const table = memoryBuildTable(clock, () => undefined);
  return { table, positions: memoryQueuePositions(table, clock, behind) };
});

buildSweepContract('in memory, with lists that are behind', () => {
  const table = memoryBuildTable(clock, () => undefined);
  return { table, sweep: memoryBuildSweep(table, clock, behind) };
});

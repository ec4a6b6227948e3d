import { countedBuildsContract } from '#test/contracts/counted-builds.ts';
import { memoryStatistics } from './memory-statistics.ts';

countedBuildsContract('in memory', () => {
  const statistics = memoryStatistics();
  return { statistics, total: async () => statistics.figures() };
});

import type { BuildPace } from '#core/build/build-pace.ts';
import type { StatisticsReport } from '#core/statistics/ports.ts';
import type { Clock } from '#core/stores.ts';

export interface LearnPaceDeps {
  readonly report: Pick<StatisticsReport, 'figures'>;
  readonly pace: BuildPace;
  readonly now: Clock;
}

/** A smaller difference is not worth a write. */
const WORTH_A_WRITE = 0.05;

/**
 * Lets the pace of builds follow the time that builds took in the last two days, where runners may not write it
 * themselves. Returns whether it wrote.
 */
export async function learnPace({ report, pace, now }: LearnPaceDeps): Promise<boolean> {
  const known = pace.secondsPerBuild();
  const yesterday = new Date(now().getTime() - 86_400_000);
  const days = await report.figures('day', yesterday, now());
  const successes = days.reduce((sum, day) => sum + day.successes, 0);
  if (successes === 0) return false;
  const seconds = days.reduce((sum, day) => sum + day.buildMilliseconds, 0) / successes / 1000;
  if (Math.abs(seconds - known) <= WORTH_A_WRITE * known) return false;
  await pace.record(seconds);
  return true;
}

import type { RunEvent } from '#core/build/run-event.ts';
import type { Submitted } from '#core/build/submit-build.ts';
import type { Branch } from '#core/catalogue/branches.ts';
import type { Clock } from '#core/stores.ts';
import { buildEnd } from './build-end.ts';
import { subjectName } from './counts.ts';
import type { Statistics } from './ports.ts';
import { requestCounter } from './request-counter.ts';

export interface RecordStatisticsDeps {
  readonly statistics: Statistics;
  readonly branches: () => readonly Branch[];
  readonly now: Clock;
  /** `false`: nothing is counted but failures, as the reference server's error log does not depend on its statistics. Default `true`. */
  readonly isCounting?: boolean;
  /** Told when something could not be written. Ends are made up for by `reconcileBuilds`, counts by the next flush. */
  readonly onError: (error: unknown) => void;
}

/** Ears for what happens in submit and runner; none of them throws, nor keeps anybody waiting. */
export interface StatisticsRecorder {
  /** A request was accepted. The build it started, if any, is counted at once and durably. */
  readonly onSubmitted: (submitted: Submitted, client: string) => void;
  /** A request that had passed the schema was refused. */
  readonly onRejected: (client: string) => void;
  /** Ends are counted at once and durably. */
  readonly onRunEvent: (event: RunEvent) => void;
  /** Writes what was summed up; settles when everything told so far is written or given up. Call it every second and on close. */
  readonly flush: () => Promise<void>;
}

export function recordStatistics({ statistics, branches, now, isCounting = true, onError }: RecordStatisticsDeps): StatisticsRecorder {
  const counter = requestCounter({ statistics, now });
  const underWay = new Set<Promise<void>>();
  const write = (make: () => Promise<unknown>) => {
    const written: Promise<void> = make()
      .then(() => undefined, onError)
      .finally(() => underWay.delete(written));
    underWay.add(written);
  };

  return {
    onSubmitted: ({ outcome, prepared: { resolved }, view: { build } }, client) => {
      if (!isCounting) return;
      counter.add(outcome, client, subjectName(resolved));
      if (outcome === 'new') write(() => statistics.started({ hash: build.hash, enqueuedAt: build.enqueuedAt }));
    },
    onRejected: (client) => {
      if (isCounting) counter.add('rejected', client);
    },
    onRunEvent: (event) => {
      if (event.type === 'done' && isCounting) {
        const end = buildEnd(event.build, event.order, branches(), event.output);
        write(() => statistics.ended({ ...end, milliseconds: event.seconds * 1000 }));
      }
      if (event.type === 'failed') write(() => statistics.ended(buildEnd(event.build, event.order, branches())));
    },
    flush: async () => {
      await counter.flush().catch(onError);
      await Promise.all(underWay);
    },
  };
}

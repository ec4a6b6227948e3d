import type { RunEvent } from '#core/build/run-event.ts';
import type { Submitted } from '#core/build/submit-build.ts';
import type { Branch } from '#core/catalogue/branches.ts';
import type { Clock } from '#core/stores.ts';
import { buildEnd } from './build-end.ts';
import { countedVersion, subjectName } from './counts.ts';
import type { Statistics } from './ports.ts';
import { requestCounter } from './request-counter.ts';

export interface RecordStatisticsDeps {
  readonly statistics: Statistics;
  readonly branches: () => readonly Branch[];
  readonly now: Clock;
  /**
   * `false`: only failures are recorded, as the error log of the reference server does not depend on its statistics.
   * Default `true`.
   */
  readonly isCounting?: boolean;
  /** Called when something could not be written. `reconcileBuilds` makes up for ends, the next flush for counts. */
  readonly onError: (error: unknown) => void;
}

/** Called with what happens in submit and runner. The calls return at once and never throw. */
export interface StatisticsRecorder {
  /** Called when a request was accepted. The build that it started, if any, is counted at once and durably. */
  readonly onSubmitted: (submitted: Submitted, client: string) => void;
  /** Called when a request that had passed the schema was refused. */
  readonly onRejected: (client: string) => void;
  /** Called with each event of a runner. Ends are counted at once and durably. */
  readonly onRunEvent: (event: RunEvent) => void;
  /**
   * Writes what was summed up; settles when everything so far is written or given up. To be called every second and on
   * close.
   */
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
      counter.add(outcome, client, subjectName({ ...resolved, version: countedVersion(resolved.distro, resolved.version) }));
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

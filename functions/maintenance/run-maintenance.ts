import { type MaintainDeps, maintain, SWEEP_EVERY_MS } from './maintain.ts';
import { type PublishCatalogueDeps, publishCatalogue } from './publish-catalogue.ts';

export interface RunMaintenanceDeps extends MaintainDeps, Omit<PublishCatalogueDeps, 'branches'> {
  readonly branches: () => PublishCatalogueDeps['branches'];
  readonly onPublished: (keys: readonly string[]) => void;
  /** What else is to be put right in a run, one after the other. */
  readonly settle?: readonly (() => Promise<unknown>)[];
  /** Whether no build waits or is under way: then there is nothing that a second sweep could find in time. */
  readonly isIdle?: () => Promise<boolean>;
}

/** Schedulers call once a minute at most; sweeps come every half of one (docs/architecture.md, States). */
const SWEEPS = 2;

/**
 * One scheduled run: publishes the catalogue and sweeps, at once and, unless idle, again before the next run is due. What fails does not keep
 * the rest from being done; the run then fails with it in the end, so that alarms see it.
 */
export async function runMaintenance(deps: RunMaintenanceDeps, everyMs = SWEEP_EVERY_MS): Promise<void> {
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown) => {
    troubles.push(error);
    deps.onTrouble(error);
  };
  const stop = new AbortController();
  let sweepsLeft = SWEEPS;
  const count = () => {
    if (--sweepsLeft === 0) stop.abort();
  };
  const sweeping = maintain(
    {
      ...deps,
      onTrouble: (error) => {
        onTrouble(error);
        count();
      },
      onSwept: (swept) => {
        troubles.push(...swept.errors);
        deps.onSwept(swept);
        count();
      },
    },
    stop.signal,
    everyMs,
  );
  for (const settle of deps.settle ?? []) await settle().catch(onTrouble);
  await publishCatalogue({ ...deps, branches: deps.branches() }).then(deps.onPublished, onTrouble);
  if (await deps.isIdle?.().catch(onTrouble)) stop.abort();
  await sweeping;
  if (troubles.length > 0) throw new AggregateError(troubles, `Maintenance met ${troubles.length} failures`);
}

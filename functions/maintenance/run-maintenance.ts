import type { Swept } from '#core/build/sweep.ts';
import { type MaintainDeps, maintain, SWEEP_EVERY_MS } from './maintain.ts';
import { type PublishCatalogueDeps, publishCatalogue } from './publish-catalogue.ts';

export interface RunMaintenanceDeps extends MaintainDeps, Omit<PublishCatalogueDeps, 'branches'> {
  readonly branches: () => PublishCatalogueDeps['branches'];
  readonly onPublished: (keys: readonly string[]) => void;
  /** What else a run puts right, one after the other. */
  readonly reconcile?: readonly (() => Promise<unknown>)[];
  /** Whether no build waits or is being built: then there is nothing that a second sweep could find in time. */
  readonly isIdle?: () => Promise<boolean>;
}

/** Schedulers call once a minute at most; sweeps come twice a minute (docs/architecture.md, States). */
const SWEEPS = 2;

/**
 * Does one scheduled run: publishes the catalogue and sweeps, at once and, unless no build waits or is being built,
 * again before the next run is due. A failure does not keep the rest from being done; the run then fails with it in the
 * end, so that alarms see it.
 */
export async function runMaintenance(deps: RunMaintenanceDeps, everyMs = SWEEP_EVERY_MS): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    deps.onError(error);
  };
  const onSwept = (swept: Swept) => {
    errors.push(...swept.errors);
    deps.onSwept(swept);
  };
  const stop = new AbortController();
  const sweeping = maintain({ ...deps, onError, onSwept }, stop.signal, everyMs, SWEEPS);
  for (const reconcile of deps.reconcile ?? []) await reconcile().catch(onError);
  await publishCatalogue({ ...deps, branches: deps.branches() }).then(deps.onPublished, onError);
  if (await deps.isIdle?.().catch(onError)) stop.abort();
  await sweeping;
  if (errors.length > 0) throw new AggregateError(errors, `Maintenance met ${errors.length} failures`);
}

import type { Swept } from '#core/build/sweep.ts';
import { type MaintainDeps, maintain, SWEEP_EVERY_MS } from './maintain.ts';
import { type PublishCatalogueDeps, publishCatalogue } from './publish-catalogue.ts';

export interface ReconcileAndPublishDeps extends Omit<PublishCatalogueDeps, 'branches'> {
  readonly branches: () => PublishCatalogueDeps['branches'];
  readonly onPublished: (keys: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
  /** What else has to be put right, one after the other. */
  readonly reconcile?: readonly (() => Promise<unknown>)[];
}

export interface RunMaintenanceDeps extends MaintainDeps, ReconcileAndPublishDeps {
  /** Whether no build waits or runs. A second sweep in the same run would then find nothing. */
  readonly isIdle?: () => Promise<boolean>;
}

/** A scheduler calls once a minute at most, and sweeps come every half of one (docs/architecture.md, States). */
const SWEEPS = 2;

/** Puts right what sweeps do not, then publishes the catalogue. A failure does not stop the rest. */
export async function reconcileAndPublish(deps: ReconcileAndPublishDeps): Promise<void> {
  for (const reconcile of deps.reconcile ?? []) await reconcile().catch(deps.onError);
  await publishCatalogue({ ...deps, branches: deps.branches() }).then(deps.onPublished, deps.onError);
}

/**
 * One scheduled run: it reconciles, publishes and sweeps at once and, unless no build waits or runs, sweeps again
 * before the next run is due. A failure does not stop the rest. The run fails with it at its end, so that alarms see
 * it.
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
  await reconcileAndPublish({ ...deps, onError });
  if (await deps.isIdle?.().catch(onError)) stop.abort();
  await sweeping;
  if (errors.length > 0) throw new AggregateError(errors, `Maintenance met ${errors.length} failures`);
}

import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import type { BuildOrder } from './build-order.ts';
import type { RunEvent } from './run-event.ts';

/** Returns the order of a build that found upstream changed since the order was made; `undefined`: the event is another one. */
export function changedOrder(event: RunEvent): BuildOrder | undefined {
  if (event.type === 'failed') return event.cause instanceof UpstreamChangedFailure ? event.order : undefined;
  if (event.type === 'done') return event.output.warnings?.some(({ code }) => code === 'feeds_changed') ? event.order : undefined;
  return undefined;
}

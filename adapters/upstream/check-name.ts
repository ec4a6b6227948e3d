import type { LookupFunction } from 'node:net';
import type { Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { withoutBrackets } from '#lib/without-brackets.ts';
import { lookupPublic, PrivateAddressError } from './public-addresses.ts';
import { singleFlight } from './single-flight.ts';

/** The failure of a look-up that is not over in time, so that the name may have a private address. */
class LateLookupError extends Error {
  readonly code = 'ELATELOOKUP';
}

export interface NameCheckOptions {
  readonly lookup?: LookupFunction;
  readonly monotonic?: Monotonic;
  /** How long a caller waits for the look-up. */
  readonly waitMs?: number;
}

/** An error where the name has a private address. `undefined` where it has none, or cannot be looked up here. */
interface Outcome {
  readonly refusal: PrivateAddressError | undefined;
  readonly foundAt: number;
}

const OUTCOME_MAX_AGE_MS = 5 * 60_000;
const MAX_OUTCOMES = 1000;

/**
 * Returns a function that rejects when the host of a URL has a private address as far as this machine knows. It is for
 * names that a proxy will look up again. A look-up that fails is left to the proxy, since behind it there may be no name
 * server. One that is late is refused, unless an earlier one of the name ended: then that one counts. Its outcome counts
 * for the next request.
 */
export function nameCheck({ lookup = lookupPublic, monotonic = () => performance.now(), waitMs = 2000 }: NameCheckOptions = {}) {
  const outcomes = boundedMap<Outcome>(MAX_OUTCOMES, () => 1);
  const flights = new Map<string, Promise<Outcome>>();

  const find = (host: string): Promise<Outcome> =>
    new Promise((resolve) => {
      lookup(host, { all: true }, (error) => {
        const outcome = { refusal: error instanceof PrivateAddressError ? error : undefined, foundAt: monotonic() };
        outcomes.set(host, outcome);
        resolve(outcome);
      });
    });

  return async ({ hostname }: URL): Promise<void> => {
    const host = withoutBrackets(hostname);
    const known = outcomes.get(host);
    const isYoung = known !== undefined && monotonic() - known.foundAt < OUTCOME_MAX_AGE_MS;
    const outcome = isYoung
      ? known
      : await inTime(
          waitMs,
          singleFlight(flights, host, () => find(host)),
        );
    const { refusal } = outcome ?? known ?? { refusal: new LateLookupError(`the look-up of ${host} is not over after ${waitMs} ms`) };
    if (refusal !== undefined) throw refusal;
  };
}

/** Returns the value of the promise, or `undefined` when it is late. */
function inTime<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

import { BusyGatewayError } from './errors.ts';

/** The bytes that one request holds. */
export interface Holding {
  /** Counts more bytes as held. Throws `BusyGatewayError` if all requests together would hold too many. */
  take(bytes: number): void;
  release(): void;
}

export interface HeldBytes {
  hold(): Holding;
}

/** Bounds the bytes of request bodies that a gateway holds at once: only bytes that have arrived count, so a slow client takes few. */
export function heldBytes(max: number): HeldBytes {
  let total = 0;
  return {
    hold() {
      let own = 0;
      return {
        take(bytes) {
          if (total + bytes > max) throw new BusyGatewayError();
          own += bytes;
          total += bytes;
        },
        release() {
          total -= own;
          own = 0;
        },
      };
    },
  };
}

/** Passes on that something was left over, to a listener that may come later than the first of them. */
export interface Leftovers {
  readonly add: () => void;
  /** Calls `listener` once for each so far, and for each from now on. */
  readonly listen: (listener: () => void) => void;
}

export function leftovers(): Leftovers {
  let early = 0;
  let tell = () => {
    early++;
  };
  return {
    add: () => tell(),
    listen: (listener) => {
      tell = listener;
      for (; early > 0; early--) listener();
    },
  };
}

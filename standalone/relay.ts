/** Passes events on to a listener that may come later than the first of them. */
export interface Relay<Event extends readonly unknown[]> {
  readonly send: (...event: Event) => void;
  /** Calls `listener` with each event so far, and with every event from now on. */
  readonly listen: (listener: (...event: Event) => void) => void;
}

export function relay<Event extends readonly unknown[]>(): Relay<Event> {
  let early: Event[] = [];
  let pass = (...event: Event) => {
    early.push(event);
  };
  return {
    send: (...event) => pass(...event),
    listen: (listener) => {
      const waiting = early;
      early = [];
      pass = (...event) => listener(...event);
      for (const event of waiting) listener(...event);
    },
  };
}

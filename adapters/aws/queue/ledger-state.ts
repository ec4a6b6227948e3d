/**
 * The tickets that wait, in few bytes however many have been issued. Tickets from `floor` up wait unless they are in
 * `left`. Tickets below `floor` wait only if they are in `back`: they returned, or the floor rose past them while they
 * waited.
 */
export interface LedgerState {
  /** The last ticket that was issued. The first is 1. */
  readonly issued: number;
  readonly floor: number;
  readonly left: ReadonlySet<number>;
  readonly back: ReadonlySet<number>;
  /** A number that every write increments: the higher, the newer. */
  readonly version: number;
}

export const EMPTY_LEDGER: LedgerState = { issued: 0, floor: 1, left: new Set(), back: new Set(), version: 0 };

const count = (tickets: ReadonlySet<number>, isCounted: (ticket: number) => boolean): number => {
  let counted = 0;
  for (const ticket of tickets) if (isCounted(ticket)) counted += 1;
  return counted;
};

export const isWaiting = ({ issued, floor, left, back }: LedgerState, ticket: number): boolean =>
  ticket >= floor ? ticket <= issued && !left.has(ticket) : back.has(ticket);

/** Returns how many waiting tickets are below `ticket`. */
export function waitingBelow({ issued, floor, left, back }: LedgerState, ticket: number): number {
  const end = Math.max(floor, Math.min(ticket, issued + 1));
  return count(back, (each) => each < floor && each < ticket) + (end - floor) - count(left, (each) => each >= floor && each < end);
}

export const waitingCount = (state: LedgerState): number => waitingBelow(state, state.issued + 1);

/** Returns all waiting tickets, in ascending order. */
export function waitingTickets(state: LedgerState): number[] {
  const tickets = [...state.back].filter((ticket) => ticket < state.floor);
  for (let ticket = state.floor; ticket <= state.issued; ticket += 1) if (!state.left.has(ticket)) tickets.push(ticket);
  return tickets.sort((a, b) => a - b);
}

/** Returns a state with the same waiting tickets, and with the floor at which the two sets together are smallest. */
export function pruned(state: LedgerState): LedgerState {
  const below = count(state.back, (ticket) => ticket < state.floor);
  let size = below + count(state.left, (ticket) => ticket >= state.floor);
  let best = { floor: state.floor, size };
  for (let ticket = state.floor; ticket <= state.issued; ticket += 1) {
    size += state.left.has(ticket) ? -1 : 1;
    if (size <= best.size) best = { floor: ticket + 1, size };
  }
  return {
    ...state,
    floor: best.floor,
    left: new Set([...state.left].filter((ticket) => ticket >= best.floor)),
    back: new Set(waitingTickets(state).filter((ticket) => ticket < best.floor)),
  };
}

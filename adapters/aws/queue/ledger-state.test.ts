import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_LEDGER, isWaiting, type LedgerState, pruned, waitingBelow, waitingCount, waitingTickets } from './ledger-state.ts';

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'issue' as const, pick: 0 }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), pick: fc.nat() }) },
  fc.record({ kind: fc.constant('return' as const), pick: fc.nat() }),
  fc.constant({ kind: 'prune' as const, pick: 0 }),
);

const without = (tickets: ReadonlySet<number>, ticket: number) => new Set([...tickets].filter((each) => each !== ticket));

/**
 * Changes a ledger as the updates of `queue-ledger.ts` do, and returns it with the tickets that it should say are
 * waiting.
 */
function play(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  let state: LedgerState = EMPTY_LEDGER;
  const waiting = new Set<number>();
  for (const { kind, pick } of steps) {
    const ticket = state.issued === 0 ? 0 : 1 + (pick % state.issued);
    if (kind === 'issue') {
      state = { ...state, issued: state.issued + 1 };
      waiting.add(state.issued);
    } else if (kind === 'prune') state = pruned(state);
    else if (ticket > 0 && kind === 'leave') {
      state = { ...state, left: new Set([...state.left, ticket]), back: without(state.back, ticket) };
      waiting.delete(ticket);
    } else if (ticket > 0) {
      state = { ...state, left: without(state.left, ticket), back: new Set([...state.back, ticket]) };
      waiting.add(ticket);
    }
  }
  return { state, waiting: [...waiting].sort((a, b) => a - b) };
}

describe('the ledger of waiting tickets', () => {
  it('has the tickets that were issued and have not left, pruned or not', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { state, waiting } = play(steps);
        for (const each of [state, pruned(state)]) {
          expect(waitingTickets(each)).toEqual(waiting);
          expect(waitingCount(each)).toBe(waiting.length);
          for (let ticket = 0; ticket <= state.issued + 1; ticket += 1) {
            expect(isWaiting(each, ticket)).toBe(waiting.includes(ticket));
            expect(waitingBelow(each, ticket)).toBe(waiting.filter((other) => other < ticket).length);
          }
        }
      }),
    );
  });

  it('stores nothing for tickets that left in order, and little for a straggler', () => {
    const left = new Set(Array.from({ length: 1_000 }, (_, i) => i + 1));
    const inOrder = pruned({ ...EMPTY_LEDGER, issued: 1_500, left });
    expect(inOrder).toMatchObject({ floor: 1_001, left: new Set(), back: new Set() });
    const straggler = pruned({ ...EMPTY_LEDGER, issued: 1_500, left: without(left, 7) });
    expect(straggler).toMatchObject({ floor: 1_001, left: new Set(), back: new Set([7]) });
  });
});

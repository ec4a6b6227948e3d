import { type ChaosRequest, drawRequest } from './requests.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

/** A client: it posts a request and waits for the end, or disconnects. */
export interface Visit {
  readonly request: ChaosRequest;
  /** How many equal posts are sent at the same moment. */
  readonly copies: number;
  /**
   * `waits` asks for the state until the build has ended. `leaves-while-sending` disconnects in the middle of its body,
   * `leaves-before-answer` before the answer comes.
   */
  readonly behaviour: 'waits' | 'leaves-while-sending' | 'leaves-before-answer';
  readonly leaveAfterMs: number;
  readonly pollMs: number;
}

const STREAM = 1;
/** How many requests back a client may repeat one. */
const REPEATS = 12;
const BEHAVIOURS = { waits: 86, 'leaves-while-sending': 6, 'leaves-before-answer': 8 } as const;

/** Returns the clients in their order, which depends on the seed alone. */
export function* visits(seed: number): Generator<Visit, never> {
  const random = seededRandom(seed, STREAM);
  const recent: ChaosRequest[] = [];
  for (let number = 0; ; ) {
    const isNew = recent.length === 0 || random.fraction() < 0.6;
    const request = isNew ? drawRequest(number++, random) : random.oneOf(recent);
    if (isNew) recent.push(request);
    if (recent.length > REPEATS) recent.shift();
    yield { request, ...drawBehaviour(random) };
  }
}

const drawBehaviour = (random: SeededRandom): Omit<Visit, 'request'> => ({
  copies: random.fraction() < 0.25 ? random.between(2, 5) : 1,
  behaviour: random.weighted(BEHAVIOURS),
  leaveAfterMs: random.between(0, 60),
  pollMs: random.between(250, 900),
});

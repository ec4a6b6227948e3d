/** Reasons for which the server refuses a request that it would accept at another time. */
export const REFUSALS = ['queue-full', 'client-share', 'rate'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** One answered request, for log and metrics. */
export interface Answered {
  readonly method: string;
  /** The route's template, never the path; `unmatched` where no route answers. */
  readonly route: string;
  readonly status: number;
  /** Time to the beginning of the answer. */
  readonly milliseconds: number;
  readonly correlationId: string;
  /**
   * The answer is 500 by a fault of the server, or 503 because a store of its state cannot be used; the log has the error
   * beside it.
   */
  readonly isBug: boolean;
  /** Why the server refused the request, if for its load and not for what the request asks. */
  readonly refusal?: Refusal;
}

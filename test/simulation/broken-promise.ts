/** A promise of docs/architecture.md that a simulation has seen broken. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
  /** `I1` to `I8`, `lease`, `expiry` or `orphans`; `ports`: a real store differs from that in memory. */
  readonly promise: string;
  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.promise = promise;
  }
}

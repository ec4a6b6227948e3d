import { AsuError } from '#core/errors.ts';

/** The client itself sent too many requests; others are not the reason. */
export class TooManyRequestsError extends AsuError {
  readonly status = 429;
  readonly title = 'Too Many Requests';
  override readonly headers: Readonly<Record<string, string>>;
  constructor(what: string, retryAfterSeconds: number) {
    super(`Too Many Requests: too many ${what} from your address; try again in ${retryAfterSeconds} s`);
    this.headers = { 'Retry-After': String(retryAfterSeconds) };
  }
}

import { AsuError } from '#core/errors.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { unnamedError } from '#lib/unnamed-error.ts';
import type { Build } from './build.ts';

/**
 * Stands for an unexpected error that a private build met, or may have met. What a disk, SQLite or AWS says of an error
 * names keys, paths and packages, and every error ends up in a log: this one has the class and code of the original,
 * the place where it was thrown, and no text.
 */
export class PrivateBuildError extends Error {
  override readonly name = 'PrivateBuildError';
  constructor(error: unknown) {
    const { name, code, stack = '' } = unnamedError(error);
    super(`${name}${code === undefined ? '' : ` ${code}`}, without its text, which may name a private build`);
    this.stack = `${this.name}: ${this.message}${stack.slice(name.length)}`;
  }
}

/** The error as a log may show it that does not know which build it belongs to. */
export const forLog = (error: unknown, { isPrivate }: Pick<Build, 'isPrivate'>): unknown =>
  isPrivate && !(error instanceof PrivateBuildError) ? new PrivateBuildError(error) : error;

/**
 * The error as an HTTP function may throw it: failures that a client may read stay as they are, since the log shows
 * none of them but `StoreUnavailableError`, which names no build.
 */
export const forAnswer = (error: unknown, build: Pick<Build, 'isPrivate'>): unknown =>
  error instanceof AsuError ? error : forLog(error, build);

/**
 * Returns a handler for `catch` that throws the error of a request again, by `forAnswer`: a request with `defaults` is private
 * before it has a build.
 */
export const withoutText =
  ({ defaults }: Pick<BuildRequest, 'defaults'>) =>
  (error: unknown): never => {
    throw forAnswer(error, { isPrivate: Boolean(defaults) });
  };

import { AsuError } from '#core/errors.ts';
import { jsonResponse } from './json-response.ts';

/** The body of every error: an integer `status`, a readable `detail`, and `errors` for structured facts. */
export interface ErrorBody {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly unknown[];
  readonly stderr?: string;
}

/** Returns the answer for an error. An error that is no `AsuError` is a bug, and the answer shows nothing of it. */
export function errorResponse(error: unknown): Response {
  if (!(error instanceof AsuError))
    return problem({ status: 500, title: 'Internal Server Error', detail: 'Internal Server Error: the fault is ours and has been logged' });
  const { status, title, message: detail, errors, stderr, headers } = error;
  return problem({ status, title, detail, ...(errors && { errors }), ...(stderr && { stderr }) }, headers);
}

export const problem = (body: ErrorBody, headers: Readonly<Record<string, string>> = {}): Response =>
  jsonResponse(body.status, JSON.stringify(body), { 'Cache-Control': 'no-store', ...headers });

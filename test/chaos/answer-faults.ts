import { BUILD_STEPS } from '#core/build/build.ts';
import type { ChaosRequest } from './requests.ts';

/** An answer about a build, as a client got it. */
export interface Answer {
  /** The hash that the client asked about; absent for a post. */
  readonly hash?: string;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retryAfter: string | null;
}

/** What is wrong with one answer alone. `promise` is the promise that it breaks. */
export interface AnswerFault {
  readonly promise: string;
  readonly text: string;
}

const HASH = /^[0-9a-f]{64}$/;

/** Returns what is wrong with an answer to a post of this request, or to a question about its build. */
export function answerFaults(answer: Answer, request: ChaosRequest): AnswerFault[] {
  const { status, body } = answer;
  const fault = (promise: string, text: string) => [{ promise, text: `${text}: ${status} ${JSON.stringify(body).slice(0, 600)}` }];
  if (status === 200) return resultFaults(answer, request).flatMap((text) => fault('I3', text));
  if (status === 202) return isPending(body) ? [] : fault('I5', 'a 202 that says neither its place nor its step');
  if (isFailureOfBuild(answer)) {
    if (body['bin_dir'] !== undefined || body['images'] !== undefined) return fault('I3', 'a failure that names images');
    const isBadRequest = request.kind === 'fails' || request.kind === 'refused';
    if (!isBadRequest && answer.retryAfter === null) return fault('I2', 'a good request whose failure is remembered');
    return [];
  }
  if (status === 404 && answer.hash !== undefined) return [];
  if (status === 502 || status === 503 || status === 504) return [];
  if (request.kind === 'refused' && status >= 400 && status < 500) return [];
  if (request.kind === 'fails' && status === 422) return [];
  return fault('answers', 'an answer that no client expects');
}

/** Whether the answer is that of a build that has failed, rather than that of a server in trouble. */
export const isFailureOfBuild = ({ status, body }: Pick<Answer, 'status' | 'body'>): boolean =>
  status === 500 && body['imagebuilder_status'] === 'failed' && HASH.test(String(body['request_hash']));

function isPending(body: Answer['body']): boolean {
  if (body['detail'] === 'queued') return Number.isInteger(body['queue_position']) && HASH.test(String(body['request_hash']));
  return body['detail'] === 'started' && (BUILD_STEPS as readonly unknown[]).includes(body['imagebuilder_status']);
}

function resultFaults({ body }: Answer, { kind, body: asked }: ChaosRequest): string[] {
  const faults: string[] = [];
  const { images, files, request, manifest } = body as {
    images?: readonly unknown[];
    files?: readonly unknown[];
    request?: { version?: string; target?: string; profile?: string; packages?: readonly string[] };
    manifest?: Readonly<Record<string, string>>;
  };
  if (body['status'] !== 200 || body['detail'] !== 'done' || body['imagebuilder_status'] !== 'done' || body['title'] !== undefined)
    faults.push('a 200 whose document is not that of a success');
  if (!HASH.test(String(body['bin_dir'])) || !images?.length || !files?.length) faults.push('a 200 without images');
  if (kind === 'refused' || kind === 'fails') faults.push('a 200 for a request that cannot be built');
  if (request?.version !== asked.version || request.target !== asked.target || request.profile !== asked.profile)
    faults.push(`a 200 for another device than ${asked.version} ${asked.target} ${asked.profile}`);
  for (const name of asked.packages) if (manifest?.[name] === undefined) faults.push(`a 200 whose manifest lacks ${name}`);
  return faults;
}

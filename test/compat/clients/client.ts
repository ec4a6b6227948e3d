import { createHash } from 'node:crypto';
import { type Answer, type Asked, ask } from '#test/support/ask.ts';

/** An error at which a real client stops, in the client's words where it has any. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
}

export function fail(message: string): never {
  throw new ClientError(message);
}

/** The router on which a client runs, or for which it asks. */
export interface Device {
  /** The version that is installed now. */
  readonly version: string;
  readonly target: string;
  /** The board name as the device tree spells it: `8dev,carambola2`. */
  readonly board: string;
  readonly filesystem: string;
  /** The installed packages, both default and user-installed, without ABI suffix. */
  readonly packages: readonly string[];
}

/** A downloaded image whose checksum was right. */
export interface Downloaded {
  readonly name: string;
  readonly bytes: Buffer;
  readonly answer: Record<string, unknown>;
}

export type Json = Record<string, unknown>;

/** Sends a path unchanged, without normalising it. */
export function askUrl(url: string, asked?: Asked): Promise<Answer> {
  const { origin } = new URL(url);
  return ask(origin, url.slice(origin.length) || '/', asked);
}

/** Follows up to five redirects of a GET, absolute or relative. None of the clients on routers follows 308. */
export async function follow(url: string, asked: Asked = {}): Promise<{ url: string; answer: Answer }> {
  for (let at = url, hops = 0; hops < 5; hops++) {
    const answer = await askUrl(at, asked);
    if (![301, 302, 303, 307].includes(answer.status)) return { url: at, answer };
    at = new URL(answer.header('location') ?? fail(`redirect without location at ${at}`), at).href;
  }
  return fail(`too many redirects from ${url}`);
}

/** Sends a request without compression: clients on routers cannot unpack (docs/contract.md §9.1). */
export function parse(answer: Answer): unknown {
  if (answer.header('content-encoding') !== undefined) fail(`compressed although nobody asked: ${answer.header('content-encoding')}`);
  try {
    return JSON.parse(answer.text.trim());
  } catch {
    return fail(`no JSON: ${answer.text.slice(0, 200)}`);
  }
}

export const parseObject = (answer: Answer): Json => object(parse(answer), 'the answer');

export function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${what} is no object`);
  return value as Json;
}

export function string(value: unknown, what: string): string {
  return typeof value === 'string' ? value : fail(`${what} is no string: ${JSON.stringify(value)}`);
}

export function array(value: unknown, what: string): unknown[] {
  return Array.isArray(value) ? value : fail(`${what} is no list: ${JSON.stringify(value)}`);
}

export function integer(value: unknown, what: string): number {
  return Number.isInteger(value) ? (value as number) : fail(`${what} is no integer: ${JSON.stringify(value)}`);
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Sends a body in chunks without a length, as uclient does (docs/contract.md §9.1). */
export function chunked(body: unknown): string[] {
  const text = JSON.stringify(body);
  const half = Math.ceil(text.length / 2);
  return [text.slice(0, half), text.slice(half)];
}

/** `SNAPSHOT` and `24.10-SNAPSHOT` lie elsewhere than releases; `path` says where. */
export const versionPath = (path: string, version: string): string => path.replace('{version}', version);

export const branchOf = (version: string): string => version.replace(/-SNAPSHOT$/, '').replace(/^(\d+\.\d+)\..*$/, '$1');

import type { Context } from 'hono';
import { AsuError } from '#core/errors.ts';
import { malformedJson, missingBody, notAnObject } from '#core/request/invalid-request.ts';
import { collectAtMost } from '#lib/collected-bytes.ts';
import { BrokenBodyError, isBrokenOff } from './broken-request.ts';
import type { HttpEnv } from './http-app.ts';

export class BodyTooLargeError extends AsuError {
  readonly status = 413;
  readonly title = 'Content Too Large';
  constructor(maxBytes: number) {
    super(`Content Too Large: a request body may have at most ${maxBytes} bytes`);
  }
}

/** Returns the largest size of a body: 256 KB, or more if all characters of `defaults` are escaped and need it. */
export const maxBodyBytes = (maxDefaultsLength: number): number => Math.max(256 * 1024, 12 * maxDefaultsLength + 16 * 1024);

/** A body as text, and the kind that its content type allows. */
export interface BodyText {
  readonly text: string;
  readonly kind: 'json' | 'text' | 'other';
}

/** Reads a JSON body of at most `maxBytes`, chunked or not. Throws like `bodyText` and `parseJsonBody`. */
export const jsonBody = async (c: Context<HttpEnv>, maxBytes: number): Promise<unknown> => parseJsonBody(await bodyText(c, maxBytes));

/**
 * Reads a body of at most `maxBytes`, chunked or not. Throws `BodyTooLargeError`, or `BrokenBodyError` if the client
 * breaks it off.
 */
export async function bodyText(c: Context<HttpEnv>, maxBytes: number): Promise<BodyText> {
  const announced = Number(c.req.header('Content-Length') ?? 0);
  if (announced > maxBytes) throw new BodyTooLargeError(maxBytes);
  const text = await readText(c.req.raw, maxBytes, announced > 0).catch((error) => {
    throw !(error instanceof AsuError) && isBrokenOff(c) ? new BrokenBodyError({ cause: error }) : error;
  });
  return { text, kind: bodyKind(c.req.header('Content-Type')) };
}

/**
 * Parses a JSON body, also one with a missing or text content type (docs/contract.md §10.8). Throws
 * `InvalidRequestError` in the reference server's words.
 */
export function parseJsonBody({ text, kind }: BodyText): unknown {
  if (text === '') throw missingBody();
  if (kind === 'other') throw notAnObject(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (kind === 'text') throw notAnObject(text);
    throw malformedJson(error as SyntaxError);
  }
}

/**
 * Reads the text. The server has checked and enforces an announced length; without one, the bytes are counted as they
 * arrive.
 */
async function readText(request: Request, maxBytes: number, isAnnounced: boolean): Promise<string> {
  if (isAnnounced || request.body === null) return request.text();
  return (await collectAtMost(request.body, maxBytes, () => new BodyTooLargeError(maxBytes))).toString('utf8');
}

function bodyKind(contentType: string | undefined): BodyText['kind'] {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type.startsWith('text/')) return 'text';
  return type === 'application/json' || /^application\/[^/]*\+json$/.test(type) ? 'json' : 'other';
}

import type * as z from 'zod';
import { AsuError, type ErrorEntry } from '#core/errors.ts';

/** One complaint about a request, in the words of the reference server's validator (docs/contract.md §2). */
export interface FieldError extends ErrorEntry {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input?: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

/** A request that does not match the schema: 422 with every complaint at once. */
export class InvalidRequestError extends AsuError {
  readonly status = 422;
  readonly title = 'Unprocessable Content';
  override readonly errors: readonly FieldError[];
  constructor(errors: readonly FieldError[]) {
    super(errors.map(readable).join('; '));
    this.errors = errors;
  }
}

/** The answer does not repeat longer input. */
const MAX_ECHOED_INPUT = 256;
/** Fields that may hold secrets. The answer never repeats their input. */
const PRIVATE_FIELDS = new Set<unknown>(['defaults', 'repository_keys']);
/**
 * The largest number of complaints, so that a list of ten thousand bad names does not make an answer of ten thousand.
 */
const MAX_ERRORS = 100;

/**
 * Turns zod's issues into the reference server's complaints. `body` is the parsed value, and `root` its place.
 */
export function invalidRequest(issues: readonly z.core.$ZodIssue[], body: unknown, root: 'body' | 'query' = 'body'): InvalidRequestError {
  const shown = issues.slice(0, MAX_ERRORS).map((issue) => fieldError(issue, body, root));
  if (issues.length > MAX_ERRORS)
    shown.push({ type: 'too_many_errors', loc: [root], msg: `and ${issues.length - MAX_ERRORS} more errors` });
  return new InvalidRequestError(shown);
}

/** Returns the error for a body that is not JSON, with the place where the parser stopped and its reason. */
export function malformedJson(error: SyntaxError): InvalidRequestError {
  const position = /position (\d+)/.exec(error.message)?.[1];
  return new InvalidRequestError([
    {
      type: 'json_invalid',
      loc: ['body', position === undefined ? 0 : Number(position)],
      msg: 'JSON decode error',
      input: {},
      ctx: { error: error.message.slice(0, MAX_ECHOED_INPUT) },
    },
  ]);
}

export const missingBody = (): InvalidRequestError =>
  new InvalidRequestError([{ type: 'missing', loc: ['body'], msg: 'Field required', input: null }]);

export const notAnObject = (input: unknown): InvalidRequestError =>
  new InvalidRequestError([withInput({ type: 'model_attributes_type', loc: ['body'], msg: NOT_AN_OBJECT }, input)]);

const NOT_AN_OBJECT = 'Input should be a valid dictionary or object to extract fields from';

const TYPE_ERRORS: Readonly<Record<string, readonly [type: string, msg: string]>> = {
  string: ['string_type', 'Input should be a valid string'],
  array: ['list_type', 'Input should be a valid list'],
  record: ['dict_type', 'Input should be a valid dictionary'],
  object: ['model_attributes_type', NOT_AN_OBJECT],
};

function fieldError(issue: z.core.$ZodIssue, body: unknown, root: string): FieldError {
  const path = issue.path as (string | number)[];
  const loc = [root, ...path];
  const input = at(body, path);
  switch (issue.code) {
    case 'invalid_type': {
      if (input === undefined && path.length > 0)
        return withInput({ type: 'missing', loc, msg: 'Field required' }, at(body, path.slice(0, -1)));
      const [type, msg] = TYPE_ERRORS[issue.expected] ?? ['value_error', issue.message];
      return withInput({ type, loc, msg }, input);
    }
    case 'invalid_value': {
      const expected = alternatives(issue.values);
      return withInput({ type: 'literal_error', loc, msg: `Input should be ${expected}`, ctx: { expected } }, input);
    }
    case 'invalid_key': {
      const inner = issue.issues[0];
      const key = path.at(-1);
      const described = inner === undefined ? { type: 'value_error', msg: issue.message } : custom(inner);
      return withInput({ ...described, loc: [...loc, '[key]'] }, key);
    }
    case 'custom':
      return withInput({ ...custom(issue), loc }, input);
    default:
      return withInput({ type: 'value_error', loc, msg: issue.message }, input);
  }
}

function custom(issue: z.core.$ZodIssue): { type: string; msg: string; ctx?: Record<string, unknown> } {
  const { type, ctx } = (issue.code === 'custom' ? issue.params : undefined) ?? {};
  return { type: typeof type === 'string' ? type : 'value_error', msg: issue.message, ...(ctx && { ctx: ctx as Record<string, unknown> }) };
}

function withInput(error: Omit<FieldError, 'input'>, input: unknown): FieldError {
  const { type, loc, msg, ctx } = error as FieldError;
  const shown = isShown(loc, input) ? { input: input ?? null } : {};
  return { type, loc, msg, ...shown, ...(ctx && { ctx }) };
}

function isShown(loc: readonly (string | number)[], input: unknown): boolean {
  if (PRIVATE_FIELDS.has(loc[1])) return false;
  if (typeof input === 'string') return input.length <= MAX_ECHOED_INPUT;
  if (!isRecord(input)) return true;
  if (Object.keys(input).some((key) => PRIVATE_FIELDS.has(key))) return false;
  return isSmall(input);
}

/** Returns whether the value is too long for an answer. Nesting that is too deep to be written counts as too long. */
function isSmall(input: unknown): boolean {
  try {
    return JSON.stringify(input).length <= MAX_ECHOED_INPUT;
  } catch {
    return false;
  }
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined), value);
}

const isRecord = (value: unknown): value is Record<string | number, unknown> => typeof value === 'object' && value !== null;

/** Returns `'a', 'b' or 'c'`, as pydantic lists words. */
function alternatives(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${String(value)}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

const readable = ({ loc, msg }: FieldError): string => {
  const field = loc.slice(1).join('.');
  return field === '' ? msg : `${field}: ${msg}`;
};

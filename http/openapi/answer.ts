import type * as z from 'zod';
import { reference } from './component.ts';

export type Answer = Readonly<Record<string, unknown>>;

/** Headers of the document by name; `answer` refers to them. */
export const HEADERS = {
  'Access-Control-Allow-Origin': header('Any origin may ask.', { const: '*' }, true),
  'X-Correlation-Id': header("The request's, or a new one; the same in every line of the log.", { type: 'string', minLength: 1 }, true),
  'X-Imagebuilder-Status': header('Step of the build, or its end.', { type: 'string', minLength: 1 }, true),
  'X-Queue-Position': header('How many builds are ahead; 0 unless queued.', { type: 'string', pattern: '^[0-9]+$' }, true),
  'Retry-After': header('Seconds to wait before asking again.', { type: 'string', pattern: '^[0-9]+$' }, true),
  'Content-Length': header('Bytes.', { type: 'string', pattern: '^[0-9]+$' }, true),
  'X-Unknown-Package': header('Packages that do not exist, separated by blanks.', { type: 'string' }, false),
  Location: header('Relative.', { type: 'string', pattern: '^/' }, true),
  Allow: header('Methods that the path has.', { type: 'string', minLength: 3 }, true),
  ETag: header('Strong.', { type: 'string', pattern: '^"' }, true),
  'Content-Range': header('Which bytes these are.', { type: 'string', pattern: '^bytes ' }, true),
  'Access-Control-Allow-Methods': header('Methods that scripts may use.', { type: 'string' }, true),
  'Access-Control-Allow-Headers': header('Headers that scripts may send.', { type: 'string' }, true),
  'Access-Control-Max-Age': header('Seconds for which this holds.', { type: 'string', pattern: '^[0-9]+$' }, true),
} as const;

export type HeaderName = keyof typeof HEADERS;

interface AnswerOptions {
  readonly headers?: readonly HeaderName[];
  readonly links?: Readonly<Record<string, unknown>>;
}

/** An answer without a body, or of a kind that has no schema. */
export function answer(
  description: string,
  { headers = [], links }: AnswerOptions = {},
  content?: Readonly<Record<string, unknown>>,
): Answer {
  const all = ['Access-Control-Allow-Origin', 'X-Correlation-Id', ...headers];
  return {
    description,
    headers: Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(content && { content }),
    ...(links && { links }),
  };
}

/** A JSON answer. Its examples are checked: one that does not match makes no document. */
export const json = <S extends z.ZodType>(
  description: string,
  schema: S,
  examples: Readonly<Record<string, z.input<S>>>,
  options: AnswerOptions = {},
): Answer => answer(description, options, { 'application/json': { schema: reference(schema), examples: checked(schema, examples) } });

/** One of several JSON shapes under one status. */
export const jsonOneOf = (
  description: string,
  shapes: readonly { readonly schema: z.ZodType; readonly examples: Readonly<Record<string, unknown>> }[],
  options: AnswerOptions = {},
): Answer =>
  answer(description, options, {
    'application/json': {
      schema: { oneOf: shapes.map(({ schema }) => reference(schema)) },
      examples: Object.assign({}, ...shapes.map(({ schema, examples }) => checked(schema, examples))),
    },
  });

/** A JSON body of a request. */
export const jsonBody = <S extends z.ZodType>(schema: S, examples: Readonly<Record<string, z.input<S>>>): Answer => ({
  required: true,
  content: { 'application/json': { schema: reference(schema), examples: checked(schema, examples) } },
});

/** `not_found` → `{"not_found": {"value": …}}`, each as it was given. */
function checked(schema: z.ZodType, examples: Readonly<Record<string, unknown>>): Record<string, { value: unknown }> {
  for (const example of Object.values(examples)) schema.parse(example);
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}

function header(description: string, schema: Readonly<Record<string, unknown>>, required: boolean) {
  return { description, required, schema };
}

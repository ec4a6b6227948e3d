import type * as z from 'zod';
import { reference } from './component.ts';

export type Answer = Readonly<Record<string, unknown>>;

/** Headers of the document by name; `answer` refers to them. One with `Optional-` is not in each answer. */
export const HEADERS = {
  'Access-Control-Allow-Origin': header('Any origin may ask.', { const: '*' }, true),
  'X-Correlation-Id': header(
    'The id from the request, or a new one; every line of the log has it.',
    { type: 'string', minLength: 1 },
    true,
  ),
  'X-Imagebuilder-Status': header('The step of the build, or its end.', { type: 'string', minLength: 1 }, true),
  'X-Queue-Position': header('The number of builds ahead; 0 unless the build waits.', { type: 'string', pattern: '^[0-9]+$' }, true),
  'Retry-After': header('The seconds to wait before the next request.', { type: 'string', pattern: '^[0-9]+$' }, true),
  'Optional-Retry-After': header(
    'Only where what the client asks for may be there later: the seconds to wait.',
    { type: 'string', pattern: '^[0-9]+$' },
    false,
  ),
  'Content-Length': header('Bytes.', { type: 'string', pattern: '^[0-9]+$' }, true),
  'X-Unknown-Package': header(
    'The packages that do not exist, separated by spaces, or why packages cannot be installed. Printable ASCII.',
    { type: 'string' },
    false,
  ),
  Location: header('Relative.', { type: 'string', pattern: '^/' }, true),
  Allow: header('The methods of the path.', { type: 'string', minLength: 3 }, true),
  ETag: header('Strong.', { type: 'string', pattern: '^"' }, true),
  'Content-Range': header('The range of these bytes.', { type: 'string', pattern: '^bytes ' }, true),
  'Access-Control-Allow-Methods': header('The methods that scripts may use.', { type: 'string' }, true),
  'Access-Control-Allow-Headers': header('The headers that scripts may send.', { type: 'string' }, true),
  'Access-Control-Max-Age': header('The seconds for which a client may cache this answer.', { type: 'string', pattern: '^[0-9]+$' }, true),
} as const;

export type HeaderName = keyof typeof HEADERS;

interface AnswerOptions {
  readonly headers?: readonly HeaderName[];
  readonly links?: Readonly<Record<string, unknown>>;
}

/** Returns an answer without a body, or with a body that has no schema. */
export function answer(
  description: string,
  { headers = [], links }: AnswerOptions = {},
  content?: Readonly<Record<string, unknown>>,
): Answer {
  const all = ['Access-Control-Allow-Origin', 'X-Correlation-Id', ...headers];
  return {
    description,
    headers: Object.fromEntries(all.map((name) => [name.replace(/^Optional-/, ''), { $ref: `#/components/headers/${name}` }])),
    ...(content && { content }),
    ...(links && { links }),
  };
}

/** Returns a JSON answer. It checks its examples: the document is not made if one does not match. */
export const json = <S extends z.ZodType>(
  description: string,
  schema: S,
  examples: Readonly<Record<string, z.input<S>>>,
  options: AnswerOptions = {},
): Answer => answer(description, options, { 'application/json': { schema: reference(schema), examples: checked(schema, examples) } });

/** Returns an answer with one of several JSON shapes under one status. */
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

/** Returns the JSON body of a request. */
export const jsonBody = <S extends z.ZodType>(schema: S, examples: Readonly<Record<string, z.input<S>>>): Answer => ({
  required: true,
  content: { 'application/json': { schema: reference(schema), examples: checked(schema, examples) } },
});

/** Returns `{"not_found": {"value": …}}` for `not_found`, each value unchanged. */
function checked(schema: z.ZodType, examples: Readonly<Record<string, unknown>>): Record<string, { value: unknown }> {
  for (const example of Object.values(examples)) schema.parse(example);
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}

function header(description: string, schema: Readonly<Record<string, unknown>>, required: boolean) {
  return { description, required, schema };
}

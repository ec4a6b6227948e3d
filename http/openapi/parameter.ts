export type Parameter = Readonly<Record<string, unknown>>;

type Schema = Readonly<Record<string, unknown>>;

export const pathParameter = (name: string, description: string, example: string, schema: Schema = {}): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string', ...schema },
  example,
});

export const queryParameter = (name: string, description: string, schema: Schema): Parameter => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});

export const headerParameter = (name: string, description: string, example: string): Parameter => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
  example,
});

export const CORRELATION_ID = headerParameter(
  'X-Correlation-Id',
  'An id for this request in every log: up to 64 of `A-Z a-z 0-9 . _ -`. The server replaces any other value.',
  'my-router-4711',
);

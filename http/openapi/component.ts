import * as z from 'zod';

/** The schemas of the document by name, to which answers and requests refer. */
export const answerComponents = z.registry<{ id: string }>();
export const requestComponents = z.registry<{ id: string }>();

/** Names a schema of answers: the document has it once, under this name. */
export function answerSchema<S extends z.ZodType>(id: string, schema: S): S {
  answerComponents.add(schema, { id });
  return schema;
}

/** Names a schema of request bodies. */
export function requestSchema<S extends z.ZodType>(id: string, schema: S): S {
  requestComponents.add(schema, { id });
  return schema;
}

/** Returns `{"$ref": …}` to a named schema. Throws for a schema without a name. */
export function reference(schema: z.ZodType): { $ref: string } {
  const id = (answerComponents.get(schema) ?? requestComponents.get(schema))?.id;
  if (id === undefined) throw new Error('the schema has no name in the document');
  return { $ref: uriOf(id) };
}

const uriOf = (id: string) => `#/components/schemas/${id}`;

/** Returns every named schema as JSON Schema: requests as clients may send them, answers as the server makes them. */
export function componentSchemas(): Record<string, unknown> {
  const of = (registry: typeof answerComponents, io: 'input' | 'output') =>
    z.toJSONSchema(registry, { io, uri: uriOf, unrepresentable: 'any', override: ({ jsonSchema }) => spell(jsonSchema, io) }).schemas;
  const all = { ...of(requestComponents, 'input'), ...of(answerComponents, 'output') };
  return Object.fromEntries(Object.entries(all).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]));
}

/**
 * Fields with lax spellings (core/request/fields.ts): clients may send any spelling, and the server answers with one.
 */
function spell(schema: Record<string, unknown>, io: 'input' | 'output'): void {
  const { accepts } = schema;
  if (accepts === undefined) return;
  delete schema['accepts'];
  if (io === 'output') return;
  for (const name of ['type', 'minimum', 'maximum']) delete schema[name];
  schema['anyOf'] = accepts;
}

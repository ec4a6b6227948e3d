/**
 * A stub that replaces zod's conversion to JSON Schema in the bundles of functions. Every schema has this conversion,
 * but only the build of the OpenAPI document calls it, and it would be a tenth of a small bundle.
 */
const refuse = () => () => {
  throw new Error('This bundle does not include JSON Schema');
};

export const createToJSONSchemaMethod = refuse;
export const createStandardJSONSchemaMethod = refuse;

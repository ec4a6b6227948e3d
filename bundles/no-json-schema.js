/**
 * Stands in for zod's writing of JSON Schema where a function is bundled: every schema can, none of ours does outside the build of
 * the OpenAPI document, and it is a tenth of a small bundle.
 */
const refuse = () => () => {
  throw new Error('Bundled without JSON Schema');
};

export const createToJSONSchemaMethod = refuse;
export const createStandardJSONSchemaMethod = refuse;

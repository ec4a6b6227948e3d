import { type BuildRequest, buildRequestSchema, DEFAULT_LIMITS, type RequestLimits } from './build-request.ts';
import { invalidRequest, notAnObject } from './invalid-request.ts';

/** Reads a parsed JSON body as a build request. Throws `InvalidRequestError` with every complaint, in field order. */
export type ParseBuildRequest = (body: unknown) => BuildRequest;

/** Makes the parser for an operator's limits; the schema is compiled once. */
export function buildRequestParser(limits: RequestLimits = DEFAULT_LIMITS): ParseBuildRequest {
  const schema = buildRequestSchema(limits);
  return (body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notAnObject(body);
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw invalidRequest(parsed.error.issues, body);
    return parsed.data;
  };
}

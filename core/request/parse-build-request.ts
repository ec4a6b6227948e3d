import { type BuildRequest, buildRequestSchema, DEFAULT_LIMITS, MAX_ITEMS, type RequestLimits } from './build-request.ts';
import { InvalidRequestError, invalidRequest, notAnObject } from './invalid-request.ts';
import { refuseTooMany } from './refuse-too-many.ts';

/** Reads a parsed JSON body as a build request. Throws `InvalidRequestError` with every complaint, in field order. */
export type ParseBuildRequest = (body: unknown) => BuildRequest;

/** Returns the parser for an operator's limits. It compiles the schema once. */
export function buildRequestParser(limits: RequestLimits = DEFAULT_LIMITS): ParseBuildRequest {
  const schema = buildRequestSchema(limits);
  return (body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notAnObject(body);
    refuseTooMany(body, MAX_ITEMS);
    refusePrototypeKeys(body);
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw invalidRequest(parsed.error.issues, body);
    return parsed.data;
  };
}

/** Refuses a key `__proto__`. zod drops it silently, and no part of a request may vanish. */
function refusePrototypeKeys(body: object): void {
  for (const field of ['packages_versions', 'repositories'] as const) {
    const map = (body as Record<string, unknown>)[field];
    if (typeof map === 'object' && map !== null && Object.hasOwn(map, '__proto__'))
      throw new InvalidRequestError([
        {
          type: 'string_pattern_mismatch',
          loc: ['body', field, '__proto__', '[key]'],
          msg: 'Key should not be __proto__',
          input: '__proto__',
        },
      ]);
  }
}

import type { Context } from 'hono';
import type { BuildRequest } from '#core/request/build-request.ts';
import type { ParseBuildRequest } from '#core/request/parse-build-request.ts';
import { type BoundedMap, boundedMap } from '#lib/bounded-map.ts';
import type { HttpEnv } from './http-app.ts';
import { bodyText, parseJsonBody } from './json-body.ts';

interface BuildRequestDeps {
  readonly parseRequest: () => ParseBuildRequest;
  readonly maxBodyBytes: () => number;
}

/** The characters of all bodies that are remembered. The parsed requests take some times as much. */
const MAX_REMEMBERED = 1024 * 1024;
const MAX_BODY_REMEMBERED = 16 * 1024;

const rememberedBy = new WeakMap<ParseBuildRequest, BoundedMap<{ text: string; request: BuildRequest }>>();

/**
 * Reads the build request in a body. LuCI polls a build by sending its request again every few seconds, so the same
 * text is parsed once and gives the same request, which is frozen. A request with `defaults`, which may hold passwords,
 * is not remembered. Throws what `bodyText` and `parseJsonBody` throw, and `InvalidRequestError` with every complaint.
 */
export async function buildRequestBody(c: Context<HttpEnv>, deps: BuildRequestDeps): Promise<BuildRequest> {
  const body = await bodyText(c, deps.maxBodyBytes());
  const parse = deps.parseRequest();
  if (body.kind === 'other' || body.text.length > MAX_BODY_REMEMBERED) return parse(parseJsonBody(body));
  let remembered = rememberedBy.get(parse);
  if (remembered === undefined) {
    remembered = boundedMap(MAX_REMEMBERED, ({ text }) => text.length);
    rememberedBy.set(parse, remembered);
  }
  const known = remembered.get(body.text);
  if (known !== undefined) return known.request;
  const request = parse(parseJsonBody(body));
  if (!request.defaults) remembered.set(body.text, { text: body.text, request: frozen(request) });
  return request;
}

function frozen(request: BuildRequest): BuildRequest {
  for (const value of Object.values(request)) Object.freeze(value);
  return Object.freeze(request);
}

import { readFileSync } from 'node:fs';
import { type Context, createContext, runInContext } from 'node:vm';

/**
 * The headers in the events that CloudFront's functions receive and return:
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
 */
export type ViewerHeaders = Record<string, { value: string; multiValue?: { value: string }[] }>;

export interface ViewerRequest {
  method: string;
  uri: string;
  querystring: Record<string, { value: string; multiValue?: { value: string }[] }>;
  headers: ViewerHeaders;
}

export interface ViewerResponse {
  statusCode: number;
  headers: ViewerHeaders;
}

/** The origin of a request: the API, or the bucket with the status codes on which CloudFront asks the API instead. */
export type Route = { readonly to: 'api' } | { readonly to: 'bucket'; readonly orApiOn: readonly number[] };

export interface ViewerFunctions {
  /** Returns the request that goes to the origin, or the response that ends it. */
  onRequest(request: ViewerRequest, requestId: string): { request: ViewerRequest; route: Route } | { response: ViewerResponse };
  onResponse(request: ViewerRequest, response: ViewerResponse, requestId: string): ViewerResponse;
}

interface OriginGroup {
  readonly originIds: readonly { originId: string }[];
  readonly failoverCriteria: { readonly statusCodes: readonly number[] };
}

const IMPORT = "import cf from 'cloudfront';";

/**
 * Returns the functions of infra/edge, run as CloudFront runs them: each is a script that uses `cf` and defines
 * `handler`.
 */
export function viewerFunctions(): ViewerFunctions {
  let group: OriginGroup | undefined;
  const cf = {
    createRequestOriginGroup: (made: OriginGroup) => {
      group = made;
    },
  };
  const load = (name: string): Context => {
    const context = createContext({ cf });
    runInContext(readFileSync(new URL(`../infra/edge/${name}.js`, import.meta.url), 'utf8').replace(IMPORT, ''), context);
    return context;
  };
  const [request, response] = [load('viewer-request'), load('viewer-response')];
  // Events cross as JSON, as they do at CloudFront: a function cannot change objects of its caller.
  const call = <T>(context: Context, event: object): T =>
    JSON.parse(runInContext(`JSON.stringify(handler(${JSON.stringify({ version: '1.0', ...event })}))`, context));

  return {
    onRequest(viewer, requestId) {
      group = undefined;
      const answer = call<ViewerRequest | ViewerResponse>(request, { context: { requestId }, request: viewer });
      if ('statusCode' in answer) return { response: answer };
      if (group === undefined) return { request: answer, route: { to: 'api' } };
      const { originIds, failoverCriteria }: OriginGroup = group;
      if (originIds.map(({ originId }) => originId).join() !== 'bucket,api')
        throw new Error(`The local API does not know this origin group: ${originIds.map(({ originId }) => originId).join()}`);
      return { request: answer, route: { to: 'bucket', orApiOn: [...failoverCriteria.statusCodes] } };
    },
    onResponse: (viewer, answer, requestId) => call(response, { context: { requestId }, request: viewer, response: answer }),
  };
}

import { randomUUID } from 'node:crypto';
import type { ViewerRequest } from './viewer-functions.ts';

/** A function's answer to an HTTP API (payload format 2.0). */
export interface HttpResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** The content types whose bodies reach a function as text. All others reach it in base64. */
const TEXT = /^(text\/|application\/(json|javascript|xml)\b)/;

/**
 * Returns the event with which an HTTP API invokes a function:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEvent({ method, uri, querystring, headers }: ViewerRequest, body: Buffer, sourceIp: string) {
  const flat = Object.fromEntries(Object.entries(headers).map(([name, { value, multiValue }]) => [name, joined(value, multiValue)]));
  const isText = TEXT.test(flat['content-type'] ?? '');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: uri,
    rawQueryString: queryText(querystring),
    headers: flat,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: 'local.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'local',
      http: { method, path: uri, protocol: 'HTTP/1.1', sourceIp, userAgent: flat['user-agent'] ?? '' },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      timeEpoch: Date.now(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

const joined = (value: string, multiValue: readonly { value: string }[] | undefined) =>
  (multiValue ?? [{ value }]).map((one) => one.value).join(',');

/** Returns the query string, with the changes that a viewer function made. */
function queryText(querystring: ViewerRequest['querystring']): string {
  const pairs = Object.entries(querystring).flatMap(([name, { value, multiValue }]) =>
    (multiValue ?? [{ value }]).map((one) => (one.value === '' ? name : `${name}=${one.value}`)),
  );
  return pairs.join('&');
}

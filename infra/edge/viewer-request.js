import cf from 'cloudfront';

// CloudFront runs this function first for each request, in its limited JavaScript (cloudfront-js-2.0) without our
// modules and without newer syntax. It decides which origin answers: the bucket serves finished builds and their
// images, so that no Lambda function runs; the API serves everything else.

/** Ids of the distribution's origins (infra/router.ts). */
const BUCKET = 'bucket';
const API = 'api';

const RESULT = /^\/api\/v1\/build\/[0-9a-f]{64}$/;
const FILE = /^\/store\/[0-9a-f]{64}\/[A-Za-z0-9._+-]+$/;
const DOCUMENT = /^\/json\/v1\/(overview|branches|latest)\.json$/;

/**
 * The statuses of the bucket on which CloudFront asks the API instead: the object is missing (403 without permission to
 * list), or the bucket fails.
 */
const ELSEWHERE = [403, 404, 500, 502, 503, 504];
/**
 * The statuses on which CloudFront asks the API for a file. The API has no files: it redirects a client that named the
 * build instead of the directory, and answers 404 in its own words otherwise.
 */
const NOWHERE = [403, 404];

/** The same headers as in http/cors.ts; a test compares them. */
const PREFLIGHT = {
  'access-control-allow-origin': { value: '*' },
  'access-control-expose-headers': {
    value: 'X-Imagebuilder-Status, X-Queue-Position, X-Unknown-Package, Retry-After, X-Correlation-Id, Content-Disposition, ETag, Location',
  },
  'access-control-allow-methods': { value: 'GET, HEAD, POST, DELETE, OPTIONS' },
  'access-control-allow-headers': {
    value:
      'Content-Type, Authorization, X-Correlation-Id, Accept, Accept-Language, Cache-Control, Pragma, If-None-Match, If-Modified-Since, Range, X-Requested-With',
  },
  'access-control-max-age': { value: '86400' },
};

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by this name.
function handler(event) {
  const request = event.request;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const id = correlationId(event);

  if (request.method === 'OPTIONS') {
    const headers = { 'x-correlation-id': { value: id } };
    for (const name in PREFLIGHT) headers[name] = PREFLIGHT[name];
    return { statusCode: 204, statusDescription: 'No Content', headers: headers };
  }

  request.headers['x-correlation-id'] = { value: id };
  const path = plainPath(request.uri);
  // A client would resend a redirected POST without its body, so only GET and HEAD are redirected.
  if (isRead && request.uri.indexOf('//') === 0) return redirect(path, request.querystring, id);
  request.uri = path;

  if (isRead && RESULT.test(path)) fromBucket(request, ELSEWHERE);
  else if (isRead && DOCUMENT.test(path)) fromBucket(request, ELSEWHERE);
  else if (isRead && FILE.test(path)) fromBucket(request, NOWHERE);
  return request;
}

/** Returns the path with one leading slash and no trailing slash. Clients with a misconfigured server URL send two. */
function plainPath(uri) {
  return `/${uri.replace(/^\/+/, '').replace(/\/+$/, '')}`;
}

function fromBucket(request, statusCodes) {
  // The path alone identifies the object. Headers that S3 could take as part of a signature must not reach it.
  request.querystring = {};
  for (const name in request.headers)
    if (name.indexOf('x-amz-') === 0 || name === 'authorization' || name === 'cookie') delete request.headers[name];
  cf.createRequestOriginGroup({
    originIds: [{ originId: BUCKET }, { originId: API }],
    failoverCriteria: { statusCodes: statusCodes },
  });
}

function redirect(path, querystring, id) {
  const pairs = [];
  for (const name in querystring) {
    const values = querystring[name].multiValue || [querystring[name]];
    for (let i = 0; i < values.length; i++) pairs.push(name + (values[i].value === '' ? '' : `=${values[i].value}`));
  }
  return {
    statusCode: 301,
    statusDescription: 'Moved Permanently',
    headers: {
      location: { value: path + (pairs.length > 0 ? `?${pairs.join('&')}` : '') },
      'access-control-allow-origin': { value: '*' },
      'access-control-expose-headers': PREFLIGHT['access-control-expose-headers'],
      'x-correlation-id': { value: id },
    },
  };
}

/**
 * Returns the client's correlation id if it is safe to log, else CloudFront's request id. viewer-response.js has the
 * same function.
 */
function correlationId(event) {
  const given = event.request.headers['x-correlation-id'];
  if (given && /^[A-Za-z0-9._-]{1,64}$/.test(given.value)) return given.value;
  return event.context.requestId.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 64);
}

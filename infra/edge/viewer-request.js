import cf from 'cloudfront';

// Runs at CloudFront before anything else, on its small JavaScript (cloudfront-js-2.0): no modules of ours, no newer syntax.
// Decides who answers. A finished build and its images come from the bucket, without any function; everything else from the API.

/** Ids of the distribution's origins (infra/router.ts). */
const BUCKET = 'bucket';
const API = 'api';

const RESULT = /^\/api\/v1\/build\/[0-9a-f]{64}$/;
const FILE = /^\/store\/[0-9a-f]{64}\/[A-Za-z0-9._+-]+$/;
const DOCUMENT = /^\/json\/v1\/(overview|branches|latest)\.json$/;

/** What the bucket does not have (it says 403 to who may not list it), and what it cannot tell now, the API answers. */
const ELSEWHERE = [403, 404, 500, 502, 503, 504];
/** The API has no files: for those it only words the 404. */
const NOWHERE = [403, 404];

/** As http/cors.ts has it; a test compares. */
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
  // A redirected POST would lose its body: only what reads is told of the right path, where it is more than a slash too many.
  if (isRead && request.uri.indexOf('//') === 0) return redirect(path, request.querystring, id);
  request.uri = path;

  if (isRead && RESULT.test(path)) fromBucket(request, ELSEWHERE);
  else if (isRead && DOCUMENT.test(path)) fromBucket(request, ELSEWHERE);
  else if (isRead && FILE.test(path)) fromBucket(request, NOWHERE);
  return request;
}

/** Without the slashes that clients configured with one too many put in front, and without those at the end. */
function plainPath(uri) {
  return `/${uri.replace(/^\/+/, '').replace(/\/+$/, '')}`;
}

function fromBucket(request, statusCodes) {
  // The object is named by its path alone; what S3 might take for a part of its signature does not reach it.
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

/** The client's where it is one we are willing to log, else CloudFront's own name for the request. The same in viewer-response.js. */
function correlationId(event) {
  const given = event.request.headers['x-correlation-id'];
  if (given && /^[A-Za-z0-9._-]{1,64}$/.test(given.value)) return given.value;
  return event.context.requestId.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 64);
}

// CloudFront runs this function on every answer (cloudfront-js-2.0), including cached ones. The Lambda functions set
// their headers themselves; this function sets those of answers from the bucket.

const RESULT = /^\/api\/v1\/build\/[0-9a-f]{64}$/;

/** The same headers as in http/cors.ts; a test compares them. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'X-Imagebuilder-Status, X-Queue-Position, X-Unknown-Package, Retry-After, X-Correlation-Id, Content-Disposition, ETag, Location',
};

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by this name.
function handler(event) {
  const request = event.request;
  const response = event.response;
  const headers = response.headers;

  if (headers['x-amz-request-id'] || (headers.server && headers.server.value === 'AmazonS3')) {
    for (const name in CORS) headers[name] = { value: CORS[name] };
    headers['x-content-type-options'] = { value: 'nosniff' };
    for (const name in headers) if (name.indexOf('x-amz-') === 0) delete headers[name];
    // The bucket has a document only for a finished build.
    if (RESULT.test(request.uri) && response.statusCode < 400) {
      headers['x-imagebuilder-status'] = { value: 'done' };
      headers['x-queue-position'] = { value: '0' };
    }
  }
  // A cached answer still has the id of the request that it was made for.
  headers['x-correlation-id'] = { value: correlationId(event) };
  return response;
}

/** Returns the correlation id. viewer-request.js has the same function. */
function correlationId(event) {
  const given = event.request.headers['x-correlation-id'];
  if (given && /^[A-Za-z0-9._-]{1,64}$/.test(given.value)) return given.value;
  return event.context.requestId.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 64);
}

/**
 * The one CORS policy: every origin may ask, and no request has cookies. LuCI and the firmware selector run on other
 * origins and preflight their polls too (docs/contract.md §9.8).
 */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'X-Imagebuilder-Status, X-Queue-Position, X-Unknown-Package, Retry-After, X-Correlation-Id, Content-Disposition, ETag, Location',
};

export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, DELETE, OPTIONS',
  // Each header has its name here, because a wildcard does not cover Authorization.
  'Access-Control-Allow-Headers':
    'Content-Type, Authorization, X-Correlation-Id, Accept, Accept-Language, Cache-Control, Pragma, If-None-Match, If-Modified-Since, Range, X-Requested-With',
  'Access-Control-Max-Age': '86400',
};

import { physicalName } from './stage.ts';

/**
 * Makes a policy that caches an answer only as long as its headers allow, and not at all without such headers. The
 * cache key is the path and the query.
 */
const cachePolicy = (name: string, isCompressed: boolean) =>
  new aws.cloudfront.CachePolicy(name, {
    name: physicalName(isCompressed ? 'compressed' : 'as-it-is'),
    minTtl: 0,
    defaultTtl: 0,
    maxTtl: 31_536_000,
    parametersInCacheKeyAndForwardedToOrigin: {
      cookiesConfig: { cookieBehavior: 'none' },
      headersConfig: { headerBehavior: 'none' },
      queryStringsConfig: { queryStringBehavior: 'all' },
      enableAcceptEncodingBrotli: isCompressed,
      enableAcceptEncodingGzip: isCompressed,
    },
  });

export const compressed = cachePolicy('CompressedCache', true);

/**
 * The policy without compression: auc compares a file's size with Content-Length, and images are compressed already.
 */
export const asItIs = cachePolicy('PlainCache', false);

/** AWS's policy AllViewerExceptHostHeader, since an HTTP API answers only to its own host name. */
export const forwardAllButHost = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';

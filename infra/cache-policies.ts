import { physicalName } from './stage.ts';

/** Answers say how long they may be kept; what says nothing is not. The path and the query are all that tells answers apart. */
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

/** auc compares a file's size with Content-Length, and images are compressed anyway. */
export const asItIs = cachePolicy('PlainCache', false);

/** AWS's own AllViewerExceptHostHeader: an HTTP API answers to its own name only. */
export const forwardAllButHost = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';

import { api } from './api.ts';
import { bucket } from './bucket.ts';
import { asItIs, compressed, forwardAllButHost } from './cache-policies.ts';
import { config } from './config.ts';
import { physicalName } from './stage.ts';
import { viewerFunctions } from './viewer-functions.ts';

const access = new aws.cloudfront.OriginAccessControl('BucketAccess', {
  name: physicalName('bucket'),
  originAccessControlOriginType: 's3',
  signingBehavior: 'always',
  signingProtocol: 'sigv4',
});

/**
 * Returns a behaviour with the API as its origin, since a behaviour with an origin group could not allow all methods.
 * For GET and HEAD, the viewer-request function decides whether CloudFront asks the bucket first.
 */
const behaviour = (cachePolicyId: $util.Input<string>, compress: boolean) => ({
  targetOriginId: 'api',
  viewerProtocolPolicy: 'redirect-to-https',
  allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
  cachedMethods: ['GET', 'HEAD'],
  cachePolicyId,
  originRequestPolicyId: forwardAllButHost,
  compress,
  functionAssociations: viewerFunctions,
});

export const router = new sst.aws.Cdn('Router', {
  origins: [
    { originId: 'bucket', domainName: bucket.nodes.bucket.bucketRegionalDomainName, originAccessControlId: access.id },
    {
      originId: 'api',
      domainName: api.url.apply((url) => new URL(url).hostname),
      customOriginConfig: { httpPort: 80, httpsPort: 443, originProtocolPolicy: 'https-only', originSslProtocols: ['TLSv1.2'] },
    },
  ],
  defaultCacheBehavior: behaviour(compressed.id, true),
  orderedCacheBehaviors: ['/api/v1/build*', '/store/*'].map((pathPattern) => ({ pathPattern, ...behaviour(asItIs.id, false) })),
  // CloudFront does not cache errors on its own: the next attempt may succeed. The headers of an answer say if it may.
  customErrorResponses: [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504].map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 })),
  transform: { distribution: { httpVersion: 'http2and3', isIpv6Enabled: true } },
  ...(config.DOMAIN !== undefined && { domain: config.DOMAIN }),
});

import { ARTIFACT_BUCKET } from '#adapters/aws/resources.ts';
import { config } from './config.ts';
import { isProduction } from './stage.ts';

/**
 * The longest lifetime of any object. Lifecycle rules remove objects a week later: those that expiry missed and those
 * that lost attempts left.
 */
const keptDays = Math.ceil(Math.max(config.BUILD_TTL, config.BUILD_TTL_UNVERSIONED, config.BUILD_DEFAULTS_TTL) / 86_400);
const backstop = (prefix: string) => ({ id: prefix.replaceAll('/', '-'), prefix, expiresIn: `${keptDays + 7} days` as const });

const account = aws.getCallerIdentityOutput().accountId;

/**
 * The bucket, whose keys are URL paths. Only this account's CloudFront may read public objects: no logs, no records.
 */
export const bucket = new sst.aws.Bucket('Artifacts', {
  cors: false,
  policy: [
    {
      actions: ['s3:GetObject'],
      principals: [{ type: 'service', identifiers: ['cloudfront.amazonaws.com'] }],
      conditions: [
        { test: 'StringLike', variable: 'aws:SourceArn', values: [$interpolate`arn:aws:cloudfront::${account}:distribution/*`] },
      ],
      paths: ['store/*', 'api/v1/build/*', 'json/v1/*'],
    },
  ],
  lifecycle: [backstop('store/'), backstop('api/v1/build/'), backstop('logs/')],
  transform: {
    bucket: { forceDestroy: !isProduction },
    lifecycle: (args) => {
      const uploads = {
        id: 'incomplete-uploads',
        status: 'Enabled',
        filter: { prefix: '' },
        abortIncompleteMultipartUpload: { daysAfterInitiation: ARTIFACT_BUCKET.abortIncompleteUploadsAfterDays },
      };
      args.rules = $output(args.rules).apply((rules) => [...(rules ?? []), uploads]);
    },
  },
});

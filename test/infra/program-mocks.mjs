// This module must load before SST, whose components look for Pulumi's providers and SST's globals while they load.
import { createWriteStream } from 'node:fs';
import { runtime } from '@pulumi/pulumi';

const { root, stage, resources } = JSON.parse(process.argv[2]);
const written = createWriteStream(resources);

export { stage };

export const note = (resource) => written.write(`${JSON.stringify(resource)}\n`);

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';

/** The providers' answers to function calls, by the token of the function. */
const ANSWERS = {
  'aws:iam/getPolicyDocument:getPolicyDocument': ({ statements = [] }) => ({ json: JSON.stringify(statements), statements }),
  'aws:index/getCallerIdentity:getCallerIdentity': () => ({ accountId: ACCOUNT }),
  'aws:index/getRegion:getRegion': () => ({ region: REGION, name: REGION }),
  'aws:index/getPartition:getPartition': () => ({ partition: 'aws' }),
  'aws:index/getAvailabilityZones:getAvailabilityZones': () => ({ names: ['a', 'b', 'c'].map((zone) => REGION + zone) }),
  'aws:ecr/getAuthorizationToken:getAuthorizationToken': () => ({ proxyEndpoint: 'ecr', userName: 'AWS', password: 'x' }),
};

runtime.setMocks(
  {
    newResource({ type, name, inputs }) {
      note({ type, name, inputs });
      const physical = inputs.name ?? inputs.bucket ?? name;
      const state = {
        arn: `arn:aws:${type.split(':')[1].split('/')[0]}:${REGION}:${ACCOUNT}:${type.split(':').at(-1)}/${name}`,
        name: physical,
        url: `https://${name}.example.org`,
        apiEndpoint: `https://${name}.execute-api.${REGION}.amazonaws.com`,
        bucket: physical,
        bucketRegionalDomainName: `${name}.s3.${REGION}.amazonaws.com`,
        domainName: `${name}.cloudfront.net`,
        digest: 'sha256:0',
        domainValidationOptions: [
          { domainName: 'asu.example.org', resourceRecordName: '_x', resourceRecordType: 'CNAME', resourceRecordValue: '_y' },
        ],
      };
      return { id: `${name}-id`, state: { ...state, ...inputs } };
    },
    call({ token, inputs }) {
      const answer = ANSWERS[token];
      if (answer === undefined) throw new Error(`no answer to ${token}`);
      return answer(inputs);
    },
  },
  'asu',
  stage,
);

globalThis.$dev = false;
globalThis.$cli = {
  command: 'deploy',
  rpc: '',
  paths: { root, platform: `${root}/.sst/platform`, work: `${root}/.sst`, home: root },
  state: { version: {} },
};

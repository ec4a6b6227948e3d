import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { physicalName } from './stage.ts';

const viewerFunction = (name: string, file: string) =>
  new aws.cloudfront.Function(name, {
    name: physicalName(file),
    runtime: 'cloudfront-js-2.0',
    code: readFileSync(join($cli.paths.root, 'infra', 'edge', `${file}.js`), 'utf8'),
  });

const request = viewerFunction('ViewerRequest', 'viewer-request');
const response = viewerFunction('ViewerResponse', 'viewer-response');

export const viewerFunctions = [
  { eventType: 'viewer-request', functionArn: request.arn },
  { eventType: 'viewer-response', functionArn: response.arn },
];

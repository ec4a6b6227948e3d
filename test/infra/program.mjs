// What `sst deploy` would run, bundled by mocked-deployment.ts and run in a process of its own: the whole of sst.config.ts over
// Pulumi's mocks, which write down every resource.

import * as aws from '@pulumi/aws';
import { runtime } from '@pulumi/pulumi';
import { note, stage } from './program-mocks.mjs';

globalThis.$config = (config) => config;
const { default: config } = await import('../../sst.config.ts');
const app = config.app({ stage });
note({ type: 'app', name: stage, inputs: app });
globalThis.$app = { ...app, stage, providers: {} };

// As SST's own bundle of a config has them: names that are simply there.
const sst = await import('sst-components');
Object.assign(globalThis, { aws, sst }, await import('sst-globals'));

await runtime.runInPulumiStack(() => config.run());
await runtime.disconnect();

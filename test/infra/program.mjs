// The program that `sst deploy` would run: all of sst.config.ts, with Pulumi's mocks, which record every resource.
// mocked-deployment.ts bundles it and runs it in its own process.

import * as aws from '@pulumi/aws';
import { runtime } from '@pulumi/pulumi';
import { note, stage } from './program-mocks.mjs';

globalThis.$config = (config) => config;
const { default: config } = await import('../../sst.config.ts');
const app = config.app({ stage });
note({ type: 'app', name: stage, inputs: app });
globalThis.$app = { ...app, stage, providers: {} };

// SST's bundle of a configuration has these names as globals.
const sst = await import('sst-components');
Object.assign(globalThis, { aws, sst }, await import('sst-globals'));

await runtime.runInPulumiStack(() => config.run());
await runtime.disconnect();

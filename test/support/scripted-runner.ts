import { setTimeout as pause } from 'node:timers/promises';
import { processLog } from '#observe/process-log.ts';
import { loadConfig } from '#runner/config.ts';
import { startRunner } from '#runner/start-runner.ts';
import { scriptedImageMaker } from './scripted-image-maker.ts';

/** The duration of a scripted build, which is long enough that a test can kill some runners during a build. */
const BUILD_MS = 150;

// A runner process that makes images by script, for tests of everything around the images.
const config = loadConfig();
const maker = scriptedImageMaker({ act: (_, signal) => pause(BUILD_MS, undefined, { signal }).catch(() => undefined) });
await startRunner(config, processLog(config.LOG_LEVEL, 'runner'), () => ({
  ...maker,
  // Images are made by script: nothing runs.
  ready: async () => ({ level: 'plain', network: 'none', memory: 'watched', tmp: 'own', unsigned: 'built' }),
  mustRetire: () => false,
}));

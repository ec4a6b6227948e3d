import { setTimeout as pause } from 'node:timers/promises';
import { processLog } from '#observe/process-log.ts';
import { loadConfig } from '#runner/config.ts';
import { startRunner } from '#runner/start-runner.ts';
import { scriptedImageMaker } from './scripted-image-maker.ts';

/** So long a scripted build lasts: long enough for some to be killed in the middle. */
const BUILD_MS = 150;

/** The runner with images made by script, in a process of its own: for tests of everything around them. */
const config = loadConfig();
const maker = scriptedImageMaker({ act: (_, signal) => pause(BUILD_MS, undefined, { signal }).catch(() => undefined) });
await startRunner(config, processLog(config.LOG_LEVEL, 'runner'), () => ({
  ...maker,
  // Images are made by script: nothing runs.
  ready: async () => ({ level: 'plain', network: 'none', memory: 'watched', tmp: 'own', unsigned: 'built' }),
  mustRetire: () => false,
}));

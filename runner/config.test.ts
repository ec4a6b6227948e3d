import { describe, expect, it } from 'vitest';
import { SettingsError } from '#settings/read-settings.ts';
import { loadConfig } from './config.ts';
import { generateUsignKey } from './signing/usign.ts';

const NEEDED = {
  BUILD_TABLE: 'builds',
  STATISTICS_TABLE: 'statistics',
  ARTIFACT_BUCKET: 'artefacts',
  BUILD_QUEUE_URL: 'https://sqs.example/queue',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.example/dead',
};

describe('loadConfig of the runner', () => {
  it('does one build at a time, below one data directory', () => {
    const config = loadConfig({ ...NEEDED, DATA_DIR: '/srv/asu' });
    expect(config).toMatchObject({ WORKER_CONCURRENT: 1, JOB_TIMEOUT: 600, LEASE: 60, workDir: '/srv/asu/work', keyDir: '/srv/asu/keys' });
  });

  it('takes secret keys as text, lines written out or not, and none as none', () => {
    const { secret } = generateUsignKey('k');
    const oneLine = secret.trim().replaceAll('\n', '\\n');
    expect(loadConfig({ ...NEEDED, SIGNING_SECRET: oneLine }).SIGNING_SECRET).toBe(`${secret.trim()}\n`);
    expect(loadConfig({ ...NEEDED, SIGNING_SECRET: secret }).SIGNING_SECRET).toBe(`${secret.trim()}\n`);
    expect(loadConfig({ ...NEEDED, SIGNING_SECRET: 'none' }).SIGNING_SECRET).toBeUndefined();
  });

  it('names what is missing and what is no key', () => {
    const load = () => loadConfig({ TRUSTED_KEYS: 'nonsense' });
    expect(load).toThrow(SettingsError);
    expect(load).toThrow('BUILD_QUEUE_URL=: must be set');
    expect(load).toThrow('TRUSTED_KEYS=nonsense: expected usign public keys');
  });
});

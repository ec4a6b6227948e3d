import { describe, expect, it } from 'vitest';
import { SettingsError } from '#settings/read-settings.ts';
import { loadConfig } from './config.ts';

describe('loadConfig of the deployment', () => {
  it('passes on the given settings unchanged, and those on which functions and runner must agree', () => {
    const config = loadConfig({
      BUILD_TTL: '14d',
      SERVER_STATS: 'false',
      PREPARE_SERVICE_URL: 'https://prepare.example',
      ASU_CONTACT: 'me',
      PATH: '/bin',
      DOMAIN: 'asu.example.org',
    });
    expect(config.service).toEqual({
      BUILD_TTL: '14d',
      SERVER_STATS: 'false',
      PREPARE_SERVICE_URL: 'https://prepare.example',
      CONTACT: 'me',
      MAX_RUNNERS: '10',
      IMAGEBUILDER_CACHE_MB: '30720',
    });
    expect(config.BUILD_TTL).toBe(14 * 86_400);
    expect(config.DOMAIN).toBe('asu.example.org');
  });

  it('stops the deployment with the name of the wrong setting', () => {
    expect(() => loadConfig({ ALARM_EMAIL: 'nobody' })).toThrow(SettingsError);
    expect(() => loadConfig({ MAX_RUNNERS: '0' })).toThrow('MAX_RUNNERS=0: ');
    expect(() => loadConfig({ MAX_DEFAULTS_LENGTH: '30721' })).toThrow('MAX_DEFAULTS_LENGTH=30721: expected at most 30720: ');
  });
});

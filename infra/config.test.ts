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

  it('passes on no proxy: that of the machine which deploys is none of AWS’s', () => {
    const proxies = { HTTPS_PROXY: 'http://proxy.example:3128', https_proxy: 'http://proxy.example:3128', NO_PROXY: 'localhost' };
    expect(Object.keys(loadConfig(proxies).service)).not.toEqual(expect.arrayContaining([expect.stringContaining('PROXY')]));
  });

  it('passes on other distributions as they are written, after it has read them', () => {
    const text = '{"mine":{"upstream_url":"https://mine.example","branches":{"1.0":{"path":"releases/{version}"}}}}';
    expect(loadConfig({ DISTROS: text }).service).toMatchObject({ DISTROS: text });
    expect(() => loadConfig({ DISTROS: '{"mine":{}}' })).toThrow('DISTROS=');
  });

  it('stops the deployment with the name of the wrong setting', () => {
    expect(() => loadConfig({ ALARM_EMAIL: 'nobody' })).toThrow(SettingsError);
    expect(() => loadConfig({ MAX_RUNNERS: '0' })).toThrow('MAX_RUNNERS=0: ');
    expect(() => loadConfig({ MAX_DEFAULTS_LENGTH: '30721' })).toThrow('MAX_DEFAULTS_LENGTH=30721: expected at most 30720: ');
  });
});

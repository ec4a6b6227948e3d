import { describe, expect, it } from 'vitest';
import { buildConfig, prepareConfig } from './config.ts';

const STATE = {
  BUILD_TABLE: 'builds',
  STATISTICS_TABLE: 'statistics',
  ARTIFACT_BUCKET: 'artifacts',
  BUILD_QUEUE_URL: 'http://127.0.0.1:9/builds',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/dead',
};

describe('the prepare service', () => {
  it('needs no settings and listens on port 8001', () => {
    expect(prepareConfig({})).toMatchObject({ PORT: 8001, SERVICE_NAME: 'prepare', LOG_LEVEL: 'info' });
  });

  it('reads UPSTREAM_URL, SERVICE_NAME and LOG_LEVEL, each also with the prefix ASU_', () => {
    const given = { UPSTREAM_URL: 'https://mirror.example/openwrt', SERVICE_NAME: 'asu-prepare', LOG_LEVEL: 'debug' };
    const expected = { CATALOGUE_URL: 'https://mirror.example/openwrt', SERVICE_NAME: 'asu-prepare', LOG_LEVEL: 'debug' };
    expect(prepareConfig(given)).toMatchObject(expected);
    expect(prepareConfig(Object.fromEntries(Object.entries(given).map(([name, value]) => [`ASU_${name}`, value])))).toMatchObject(expected);
  });
});

describe('the build service', () => {
  it('asks no prepare service unless it has the address (docs/decisions/0012)', () => {
    expect(buildConfig(STATE).PREPARE_SERVICE_URL).toBeUndefined();
    expect(buildConfig({ ...STATE, PREPARE_SERVICE_URL: 'http://asu-prepare:8001' }).PREPARE_SERVICE_URL).toBe('http://asu-prepare:8001');
    expect(() => buildConfig({ ...STATE, PREPARE_SERVICE_URL: 'asu-prepare' })).toThrow('PREPARE_SERVICE_URL');
  });

  it('refuses to start with longer defaults than an item of its table can store, and names the limit', () => {
    expect(buildConfig({ ...STATE, MAX_DEFAULTS_LENGTH: '30720' }).MAX_DEFAULTS_LENGTH).toBe(30_720);
    const read = () => buildConfig({ ...STATE, ASU_MAX_DEFAULTS_LENGTH: '100000' });
    expect(read).toThrow(
      'MAX_DEFAULTS_LENGTH=100000: expected at most 30720: a request with longer defaults may not fit into an item of DynamoDB',
    );
  });

  it('listens on port 8000', () => {
    expect(buildConfig(STATE)).toMatchObject({ PORT: 8000, SERVICE_NAME: 'build' });
  });
});

import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { baseUrl, count, flag, resource, seconds, words } from './kinds.ts';
import { proxySettings } from './proxy-settings.ts';
import { readSettings, SettingsError } from './read-settings.ts';

const Settings = z.object({
  TABLE: resource,
  URL: baseUrl.default('https://downloads.openwrt.org'),
  LIMIT: count(0, 10).default(3),
  KEEP: seconds.default(60),
  OPEN: flag.default(false),
  LIST: words.default([]),
});

describe('readSettings', () => {
  it('takes defaults for what is not set or empty', () => {
    expect(readSettings(Settings, { TABLE: 'builds', LIMIT: '', OTHER: 'x' })).toEqual({
      TABLE: 'builds',
      URL: 'https://downloads.openwrt.org',
      LIMIT: 3,
      KEEP: 60,
      OPEN: false,
      LIST: [],
    });
  });

  it('reads each kind, and prefers the name with the prefix', () => {
    const env = { TABLE: 'a', ASU_TABLE: 'b', URL: 'http://mirror/x//', LIMIT: '10', KEEP: '2h', OPEN: 'yes', LIST: '["a b"]' };
    expect(readSettings(Settings, env)).toEqual({ TABLE: 'b', URL: 'http://mirror/x', LIMIT: 10, KEEP: 7200, OPEN: true, LIST: ['a b'] });
    expect(readSettings(Settings, { TABLE: 'a', LIST: 'a, b\nc' }).LIST).toEqual(['a', 'b', 'c']);
  });

  it('names every setting that cannot be taken, its value and what is allowed', () => {
    const env = { URL: 'ftp://x', LIMIT: '11', KEEP: '0', OPEN: 'perhaps', LIST: '[1' };
    const read = () => readSettings(Settings, env);
    expect(read).toThrow(SettingsError);
    for (const line of [
      'TABLE=: must be set',
      'URL=ftp://x: expected an http or https URL',
      'LIMIT=11: ',
      'KEEP=0: expected a duration',
      'OPEN=perhaps: ',
      'LIST=[1: expected a list',
    ])
      expect(read).toThrow(line);
  });
});

describe('proxies', () => {
  const Proxied = z.object(proxySettings);

  it('are read by their names in lower case too, which win, as for curl', () => {
    const env = {
      HTTPS_PROXY: 'http://upper:1',
      https_proxy: 'http://lower:2',
      http_proxy: 'proxy.example:3128',
      no_proxy: 'a, .b 10.0.0.0/8',
    };
    expect(readSettings(Proxied, env)).toEqual({
      HTTPS_PROXY: 'http://lower:2/',
      HTTP_PROXY: 'http://proxy.example:3128/',
      NO_PROXY: ['a', '.b', '10.0.0.0/8'],
    });
    expect(readSettings(Proxied, { ...env, ASU_HTTPS_PROXY: 'https://own:3' }).HTTPS_PROXY).toBe('https://own:3/');
  });

  it.each(['socks5://me:hunter2@proxy:1', 'me:hunter2@proxy:port', 'http://me:hun/hunter2@proxy', 'http://me:100%hunter2@proxy'])(
    'that cannot be used are refused without their password: %s',
    (text) => {
      const read = () => readSettings(Proxied, { HTTPS_PROXY: text });
      expect(read).toThrow('HTTPS_PROXY=(hidden)@proxy');
      expect(read).toThrow('expected the URL of an HTTP proxy');
      expect(read).not.toThrow('hunter2');
    },
  );
});

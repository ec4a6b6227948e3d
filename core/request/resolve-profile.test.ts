import { describe, expect, it } from 'vitest';
import { resolveProfile } from './resolve-profile.ts';

const target = (devices: Record<string, string[]>) => ({
  profiles: Object.fromEntries(
    Object.entries(devices).map(([id, supportedDevices]) => [id, { id, devicePackages: [], supportedDevices, raw: {} }]),
  ),
});

const ath79 = target({
  '8dev_carambola2': ['8dev,carambola2', 'carambola2'],
  'tplink_archer-c7-v2': ['tplink,archer-c7-v2', 'shared', '8dev_carambola2'],
  'tplink_archer-c7-v5': ['tplink,archer-c7-v5', 'shared', ''],
  generic: [],
});

describe('resolveProfile', () => {
  it.each([
    ['8dev_carambola2', '8dev_carambola2'],
    ['8dev,carambola2', '8dev_carambola2'],
    ['carambola2', '8dev_carambola2'],
    ['tplink,archer-c7-v5', 'tplink_archer-c7-v5'],
    ['shared', 'tplink_archer-c7-v5'],
    ['generic', 'generic'],
    ['nothing', undefined],
    ['', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('%s → %s', (asked, id) => expect(resolveProfile(ath79, asked)).toBe(id));

  it('accepts any profile when the target has only generic', () => {
    const x86 = target({ generic: [] });
    for (const asked of ['generic', 'innotek-gmbh-virtualbox', 'a,b', '', '_unnamed']) expect(resolveProfile(x86, asked)).toBe('generic');
    expect(resolveProfile(target({ other: [] }), 'generic')).toBeUndefined();
    expect(resolveProfile(target({}), 'generic')).toBeUndefined();
  });
});

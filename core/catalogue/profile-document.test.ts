import { expect, it } from 'vitest';
import type { TargetRecord } from './catalogue.ts';
import { profileDocument } from './profile-document.ts';

const record = (epoch: unknown): TargetRecord => ({
  version: '23.05.5',
  target: 'ath79/generic',
  versionPath: 'releases/23.05.5',
  arch: 'mips_24kc',
  revision: 'r24106-10cc5fcd00',
  defaultPackages: [],
  profiles: { carambola: { id: 'carambola', devicePackages: [], supportedDevices: [], raw: { titles: [{ model: 'C' }], target: 'own' } } },
  metadata: { target: 'ath79/generic', source_date_epoch: epoch },
  indexes: {},
  fetchedAt: '2026-01-01T00:00:00.000Z',
});

it('merges the profile over the metadata', () => {
  expect(profileDocument(record(1727094886), 'carambola')).toEqual({
    target: 'own',
    source_date_epoch: 1727094886,
    titles: [{ model: 'C' }],
    id: 'carambola',
    build_at: '2024-09-23T12:34:46.000000Z',
  });
});

it('is empty for an unknown profile', () => {
  expect(profileDocument(record(0), 'nonsense')).toEqual({});
  expect(profileDocument(record(0), 'constructor')).toEqual({});
});

it.each([
  ['1612136917', '2021-01-31T23:48:37.000000Z'],
  [undefined, '1970-01-01T00:00:00.000000Z'],
  ['soon', '1970-01-01T00:00:00.000000Z'],
  [1e300, '1970-01-01T00:00:00.000000Z'],
])('reads the epoch %s', (epoch, expected) => {
  expect(profileDocument(record(epoch), 'carambola')).toHaveProperty('build_at', expected);
});

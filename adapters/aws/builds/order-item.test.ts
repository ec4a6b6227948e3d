import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import { freshHash, sampleOrder } from '#test/contracts/sample-builds.ts';
import { packOrder, unpackOrder } from './order-item.ts';

describe('a packed order', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,20}$/);
  const version = fc.stringMatching(/^[A-Za-z0-9_+.,~-]{0,12}$/);

  it('unpacks to the same order, whatever the order lists', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 30 }),
        fc.dictionary(name, version, { maxKeys: 30 }),
        fc.array(fc.stringMatching(/^[0-9a-f]{60,140}$/), { maxLength: 12 }),
        fc.string({ unit: 'binary', maxLength: 200 }),
        (packages, versions, digests, defaults) => {
          const order = sampleOrder(freshHash(), packages);
          const indexes = Object.fromEntries(digests.map((digest, i) => [`packages/${i}`, digest]));
          const packages_versions = { ...versions, ...Object.fromEntries(packages.slice(0, 5).map((one) => [one, '1.0-r1'])) };
          const whole = { ...order, indexes, request: { ...order.request, packages_versions, defaults } } as BuildOrder;
          expect(unpackOrder(packOrder(whole))).toEqual(whole);
        },
      ),
    );
  });

  it('keeps removals, names of inherited object properties, and hundreds of names that look like digests', () => {
    const packages = ['-dnsmasq', 'constructor', ...Array.from({ length: 300 }, freshHash)];
    const order = sampleOrder(freshHash(), packages);
    const versions = { constructor: '1', toString: '' };
    const whole = { ...order, request: { ...order.request, packages_versions: versions } };
    expect(unpackOrder(packOrder(whole))).toEqual(whole);
  });
});

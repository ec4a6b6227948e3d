import { expect, it } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { Distro } from '#core/catalogue/distro.ts';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { demoOtherKey, demoUpstreamKey } from '#demo/upstream/key.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { freshHash, sampleOrder } from '#test/contracts/sample-builds.ts';
import { knownUpstreamKeys } from './known-keys.ts';
import { upstreamOf } from './upstream-of.ts';

const mine: Distro = {
  name: 'mine',
  upstreamUrl: 'https://mine.example',
  imagebuilderPrefix: 'mine-imagebuilder-',
  trustedKeys: [demoOtherKey.base64],
  repositoryHosts: ['downloads.mine.example'],
  branches: [],
};
const operators = parseUsignPublicKey(demoUpstreamKey.base64);
const options = { upstreamUrl: 'https://up.example', keys: operators === undefined ? [] : [operators], distros: [mine] };
const orderOf = (distro: string): BuildOrder => {
  const order = sampleOrder(freshHash());
  return { ...order, request: { ...order.request, distro } };
};

it('OpenWrt has the upstream and the keys of the settings, besides its own', () => {
  const { upstreamUrl, keys, repositoryHosts } = upstreamOf(orderOf('openwrt'), options);
  expect([upstreamUrl, repositoryHosts]).toEqual(['https://up.example', ['downloads.openwrt.org']]);
  expect(keys.map(({ id }) => id)).toEqual([...knownUpstreamKeys.map(({ id }) => id), demoUpstreamKey.id]);
});

it('another distribution has its own upstream, hosts and keys, and no key of OpenWrt', () => {
  const { upstreamUrl, keys, repositoryHosts } = upstreamOf(orderOf('mine'), options);
  expect([upstreamUrl, repositoryHosts]).toEqual(['https://mine.example', ['downloads.mine.example']]);
  expect(keys.map(({ id }) => id)).toEqual([demoOtherKey.id]);
});

it('a runner without the distribution of an order leaves it to another attempt', () => {
  expect(() => upstreamOf(orderOf('theirs'), options)).toThrow(InfrastructureFailure);
  expect(() => upstreamOf(orderOf('theirs'), options)).toThrow('does not have the distribution theirs');
});

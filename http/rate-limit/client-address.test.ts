import { describe, expect, it } from 'vitest';
import { clientAddress, parseRange, subscriberOf } from './client-address.ts';

describe('clientAddress', () => {
  const ours = clientAddress(['10.0.0.0/8', 'fd00::/8', '127.0.0.1']);

  it.each<[string | undefined, string | null, string, string]>([
    ['203.0.113.7', '198.51.100.1', '203.0.113.7', 'only a proxy is believed'],
    ['10.1.2.3', null, '10.1.2.3', 'a proxy that asks for itself'],
    ['10.1.2.3', '198.51.100.1', '198.51.100.1', 'a proxy names the client'],
    ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1', 'on a socket for IPv4 and IPv6'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1', 'the entries before it may be invented'],
    ['10.1.2.3', '198.51.100.1, 10.9.9.9', '198.51.100.1', 'two proxies'],
    ['10.1.2.3', '198.51.100.1:4711', '198.51.100.1', 'with a port'],
    ['fd00::1', '[2001:db8::1]:4711', '2001:db8::1', 'IPv6 with a port'],
    ['10.1.2.3', 'unknown', '10.1.2.3', 'a proxy that names no client'],
    ['10.1.2.3', "'; drop", '10.1.2.3', 'nonsense'],
    ['10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1', 'from within'],
    [undefined, '198.51.100.1', 'unknown', 'no peer'],
  ])('%s with %s is %s: %s', (peer, forwardedFor, client) => {
    expect(ours(peer, forwardedFor)).toBe(client);
  });

  it('believes no peer without a setting', () => {
    expect(clientAddress([])('127.0.0.1', '198.51.100.1')).toBe('127.0.0.1');
  });
});

it.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', '', 'host', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0.0/'])(
  'parseRange refuses %s',
  (text) => {
    expect(parseRange(text)).toBeUndefined();
  },
);

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:0000::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s belongs to %s', (address, subscriber) => {
  expect(subscriberOf(address)).toBe(subscriber);
});

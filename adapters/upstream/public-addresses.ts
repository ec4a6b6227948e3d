import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { withoutBrackets } from '#lib/without-brackets.ts';

/** A host has an address that is not of the internet: of the machine itself, its network, or its cloud. */
export class PrivateAddressError extends Error {
  readonly code = 'EPRIVATEADDRESS';
}

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  // The unspecified address, loopback, and IPv4 in the old form.
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  // Both lead to IPv4 addresses through relays.
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6');

/** Whether an address is of the internet. IPv4 in the form of IPv6 (`::ffff:`) counts as IPv4. */
const isPublic = (address: string): boolean => !PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Throws `PrivateAddressError` where a URL names such an address itself: a connection to it looks nothing up. */
export function checkLiteral({ hostname }: URL): void {
  const address = withoutBrackets(hostname);
  if (isIP(address) !== 0 && !isPublic(address)) throw new PrivateAddressError(`${address} is no address of the internet`);
}

/** Looks up what a connection then uses, so that no other answer can come in between. One private address refuses the host. */
export const lookupPublic: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    const found = addresses.find(({ address }) => !isPublic(address));
    if (found !== undefined) return callback(new PrivateAddressError(`${hostname} is ${found.address}, no address of the internet`), []);
    const [first] = addresses;
    if (options.all === true || first === undefined) return callback(null, addresses);
    callback(null, first.address, first.family);
  });

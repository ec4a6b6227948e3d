import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Context } from 'hono';
import type { HttpEnv } from '../http-app.ts';

/**
 * Returns the address of the client: the peer's, or, behind trusted proxies, the one that the first of them received.
 */
export type ClientAddress = (peer: string | undefined, forwardedFor: string | null) => string;

/** Reads an address or a range such as `10.0.0.0/8`. Returns `undefined` for other text. */
export function parseRange(text: string): { readonly address: string; readonly bits: number } | undefined {
  const [address = '', bits, ...more] = text.trim().split('/');
  const version = isIP(address);
  const max = version === 4 ? 32 : 128;
  if (version === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || Number(bits ?? max) > max) return undefined;
  return { address, bits: Number(bits ?? max) };
}

/**
 * Returns the address of the peer from Node's own request, which `serveNode` puts into the environment. Elsewhere a
 * request has no peer.
 */
export const peerOf = ({ env }: Context<HttpEnv>): string | undefined =>
  (env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket?.remoteAddress;

/**
 * Reads `X-Forwarded-For` from its end as long as the writer of an entry is trusted. Entries before that of an
 * untrusted writer may be invented.
 */
export function clientAddress(trusted: readonly string[]): ClientAddress {
  const list = new BlockList();
  for (const { address, bits } of trusted.flatMap((text) => parseRange(text) ?? [])) list.addSubnet(address, bits, family(address));
  const isTrusted = (address: string) => list.check(address, family(address));
  return (peer, forwardedFor) => {
    let client = plainAddress(peer ?? '') ?? 'unknown';
    const hops = (forwardedFor ?? '').split(',').reverse();
    for (const hop of hops) {
      if (client === 'unknown' || !isTrusted(client)) break;
      const address = plainAddress(hop);
      if (address === undefined) break;
      client = address;
    }
    return client;
  };
}

/**
 * Returns the part of an address that names one subscriber: an IPv4 address, or an IPv6 network of 64 bits, all of
 * which is theirs.
 */
export function subscriberOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const all = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

const family = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Returns the address without port, brackets and zone. IPv4 that a socket for both shows as IPv6 becomes IPv4. */
function plainAddress(text: string): string | undefined {
  const bare = text.trim().replace(/%.*$/, '');
  const [, bracketed = bare] = /^\[([^\]]+)\](?::\d+)?$/.exec(bare) ?? [];
  const address = bracketed.replace(/^((?:\d+\.){3}\d+):\d+$/, '$1').replace(/^::ffff:((?:\d+\.){3}\d+)$/i, '$1');
  return isIP(address) === 0 ? undefined : address;
}

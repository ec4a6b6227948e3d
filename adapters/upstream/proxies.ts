import { BlockList, isIP } from 'node:net';
import { withoutBrackets } from '#lib/without-brackets.ts';

/** The HTTP proxies through which upstream is asked, and the hosts that are asked directly. */
export interface Proxies {
  /** The proxy for `http:` URLs. */
  readonly http?: URL | undefined;
  /** The proxy for `https:` URLs. */
  readonly https?: URL | undefined;
  /** The entries of `NO_PROXY`: `*`, names (with all names below them), addresses and networks, each also with a port. */
  readonly direct: readonly string[];
}

export const NO_PROXIES: Proxies = { direct: [] };

/** Returns the proxies of a process's settings. */
export const proxiesOf = ({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: ProxyConfig): Proxies => ({
  http: HTTP_PROXY === undefined ? undefined : new URL(HTTP_PROXY),
  https: HTTPS_PROXY === undefined ? undefined : new URL(HTTPS_PROXY),
  direct: NO_PROXY,
});

export interface ProxyConfig {
  readonly HTTP_PROXY?: string | undefined;
  readonly HTTPS_PROXY?: string | undefined;
  readonly NO_PROXY: readonly string[];
}

/** Returns the proxy through which a URL is asked; `undefined`: the host is asked directly. */
export function proxyFor(url: URL, { http, https, direct }: Proxies): URL | undefined {
  const proxy = url.protocol === 'https:' ? https : http;
  return proxy === undefined || direct.some((entry) => matches(entry, url)) ? undefined : proxy;
}

/** Returns how people may see a proxy: without the user name and password. */
export const shownProxy = ({ protocol, host }: URL): string => `${protocol}//${host}`;

function matches(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const { name, port } = splitPort(entry.toLowerCase());
  if (port !== undefined && port !== portOf(url)) return false;
  const host = withoutBrackets(url.hostname).replace(/\.$/, '');
  if (isIP(host) !== 0) return isInNetwork(host, name);
  const domain = name.replace(/^\*?\./, '').replace(/\.$/, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

/** Splits `host:port` and `[::1]:port`. The colons of an IPv6 address without brackets begin no port. */
function splitPort(entry: string): { name: string; port: string | undefined } {
  const [, name = entry, port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  return { name: withoutBrackets(name), port };
}

/** Returns whether an address is the one that an entry names, or belongs to the network that it names. */
function isInNetwork(address: string, entry: string): boolean {
  const [network = '', length] = entry.split('/');
  const version = isIP(network);
  if (version === 0) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const bits = length === undefined ? (version === 6 ? 128 : 32) : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

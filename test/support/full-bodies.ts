import { randomInt } from 'node:crypto';

const BASE = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const WORD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.';

const word = (length: number) => Array.from({ length }, () => WORD[randomInt(WORD.length)]).join('');
/** Returns text of random four-byte characters. */
const rareText = (length: number) => Array.from({ length }, () => String.fromCodePoint(0x1_0000 + randomInt(0xf_0000))).join('');

/** Build requests in which one field fills nearly all of the given bytes with text that does not compress. */
export const FULL_BODIES: Readonly<Record<string, (bytes: number, maxDefaultsLength: number) => object>> = {
  'the longest defaults': (_, maxDefaultsLength) => ({ defaults: rareText(maxDefaultsLength) }),
  'the name of a client': (bytes) => ({ client: rareText(Math.floor(bytes / 4)) }),
  'the version of a package': (bytes) => ({ packages: ['vim'], packages_versions: { vim: word(bytes) } }),
  'addresses of repositories': (bytes) => ({
    repositories: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`r${i}`, `https://x/${word(Math.floor(bytes / 64) - 30)}`])),
  }),
};

/** Returns such a body as text of at most `bytes` bytes. */
export function fullBody(what: string, bytes: number, maxDefaultsLength: number): string {
  const fields = FULL_BODIES[what]?.(bytes - 300, maxDefaultsLength);
  return JSON.stringify({ ...BASE, ...fields });
}

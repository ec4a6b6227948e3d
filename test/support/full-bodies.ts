import { randomInt } from 'node:crypto';

const BASE = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const WORD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.';

const word = (length: number) => Array.from({ length }, () => WORD[randomInt(WORD.length)]).join('');
/** Characters of four bytes, of which any may follow any. */
const rareText = (length: number) => Array.from({ length }, () => String.fromCodePoint(0x1_0000 + randomInt(0xf_0000))).join('');

/** Build requests whose one field takes nearly all of so many bytes, with text that does not compress. */
export const FULL_BODIES: Readonly<Record<string, (bytes: number, maxDefaultsLength: number) => object>> = {
  'the longest defaults': (_, maxDefaultsLength) => ({ defaults: rareText(maxDefaultsLength) }),
  'the name of a client': (bytes) => ({ client: rareText(Math.floor(bytes / 4)) }),
  'the version of a package': (bytes) => ({ packages: ['vim'], packages_versions: { vim: word(bytes) } }),
  'addresses of repositories': (bytes) => ({
    repositories: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`r${i}`, `https://x/${word(Math.floor(bytes / 64) - 30)}`])),
  }),
};

/** The text of such a body, never longer than `bytes`. */
export function fullBody(what: string, bytes: number, maxDefaultsLength: number): string {
  const fields = FULL_BODIES[what]?.(bytes - 300, maxDefaultsLength);
  return JSON.stringify({ ...BASE, ...fields });
}

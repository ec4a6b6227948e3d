import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anonymousError } from './anonymous-error.ts';

const HASH = 'a1'.repeat(32);

describe('anonymousError', () => {
  it.each([
    ['Error: Impossible package selection: missing (foo, bar)', 'Error: Impossible package selection: missing (foo, bar)'],
    ['  two\n lines\tand \u001b[31m more ', 'two lines and [31m more'],
    [`job ${HASH} failed`, 'job [job-id] failed'],
    [`job ${HASH.toUpperCase()}: gone`, 'job [job-id]: gone'],
    [`${HASH}0 is longer`, `${HASH}0 is longer`],
    ['GET https://user:pw@feeds.lan:8443/x/Packages?token=1 said 404', 'GET [url] said 404'],
    ['no room in /var/lib/asu/work/b1/tmp: full', 'no room in [path]: full'],
    ["cannot open '/home/someone/.cache/x'", "cannot open '[path]'"],
    ['x86/64 and ath79/generic stay, 50/50 too', 'x86/64 and ath79/generic stay, 50/50 too'],
    ['connect ECONNREFUSED 10.0.0.7:8080', 'connect ECONNREFUSED [address]'],
    ['connect ECONNREFUSED [fd00::1]:443', 'connect ECONNREFUSED [address]'],
    ['kernel 6.6.93.1 is not 6.6.94', 'kernel 6.6.93.1 is not 6.6.94'],
  ])('shows %j as %j', (text, shown) => expect(anonymousError(text)).toBe(shown));

  it('leaves out text that reveals the client’s own repositories', () => {
    const repositories = { mine: 'https://feeds.example.org:8443/my/packages', other: 'http://10.1.2.3/x' };
    const text = 'wget: bad address feeds.example.org; feeds.example.org:8443; https://feeds.example.org:8443/my/packages; host 10.1.2.3';
    expect(anonymousError(text, repositories)).toBe('wget: bad address [repository]; [repository]; [repository]; host [repository]');
  });

  it('is one short line for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = anonymousError(text);
        expect([...shown].length).toBeLessThanOrEqual(200);
        expect(shown).toBe(shown.trim());
        expect(shown).not.toMatch(/[\n\r\0\u001b]|\s\s/);
      }),
      { numRuns: 50 },
    );
  });

  it('is fast for long texts', () => {
    for (const text of ['/a'.repeat(50_000), 'a'.repeat(100_000), '['.repeat(100_000), '1.'.repeat(50_000), 'x://'.repeat(30_000)])
      expect([...anonymousError(text)].length).toBeLessThanOrEqual(200);
  });
});

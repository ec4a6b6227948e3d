import { describe, expect, it } from 'vitest';
import { isRepositoryAllowed } from './repositories.ts';

describe('isRepositoryAllowed', () => {
  const list = ['https://example.com/ok', 'http://plain.example.com:8080/', 'https://other.example.com/a/b/', 'not a url'];

  it.each([
    'https://example.com/ok/x',
    'https://EXAMPLE.com/ok/x',
    'HTTPS://example.com/ok/x/packages.adb',
    'https://example.com:443/ok/x',
    'https://example.com/ok/',
    'https://example.com/ok/a/../b',
    'https://example.com/ok/a.b-c~d%20e',
    'http://plain.example.com:8080/anything',
    'https://other.example.com/a/b/c',
  ])('allows %s', (url) => expect(isRepositoryAllowed(url, list)).toBe(true));

  it.each([
    'https://example.com/ok',
    'https://example.com/okay/x',
    'https://example.com/',
    'http://example.com/ok/x',
    'https://example.com:8443/ok/x',
    'https://example.com.evil.com/ok/x',
    'https://evil.com/https://example.com/ok/x',
    'https://example.com@evil.com/ok/x',
    'https://user@example.com/ok/x',
    'https://user:secret@example.com/ok/x',
    'https://example.com/ok/../bad',
    'https://example.com/ok/x/../../bad',
    'https://example.com/ok/%2e%2e/bad',
    'https://example.com/ok/%2E./bad',
    'https://example.com/ok/..%2fbad',
    'https://example.com/ok/..%5Cbad',
    'https://example.com/ok/..%252fbad',
    'https://example.com/ok/..\\..\\bad',
    'https://example.com/OK/x',
    'http://plain.example.com/anything',
    'ftp://example.com/ok/x',
    'example.com/ok/x',
    '',
    'not a url',
  ])('refuses %s', (url) => expect(isRepositoryAllowed(url, list)).toBe(false));

  it('allows nothing by default', () => expect(isRepositoryAllowed('https://example.com/ok/x', [])).toBe(false));
});

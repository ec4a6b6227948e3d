import { describe, expect, it } from 'vitest';
import { proxiesOf, proxyFor, shownProxy } from './proxies.ts';

const through = (url: string, direct: readonly string[] = []) =>
  proxyFor(new URL(url), { http: new URL('http://a.example:3128'), https: new URL('http://b.example:3128'), direct })?.hostname;

describe('proxyFor', () => {
  it('takes the proxy of the scheme of the URL', () => {
    expect(through('http://up.example/x')).toBe('a.example');
    expect(through('https://up.example/x')).toBe('b.example');
    expect(proxyFor(new URL('https://up.example'), proxiesOf({ HTTP_PROXY: 'http://a.example', NO_PROXY: [] }))).toBeUndefined();
  });

  it.each([
    ['*', 'http://up.example/'],
    ['up.example', 'http://up.example/'],
    ['up.example', 'http://UP.example.:8080/'],
    ['example', 'https://up.example/'],
    ['.up.example', 'http://a.b.up.example/'],
    ['*.up.example', 'http://a.up.example/'],
    ['UP.example', 'http://up.example/'],
    ['up.example:8080', 'http://up.example:8080/'],
    ['up.example:443', 'https://up.example/'],
    ['10.1.2.3', 'http://10.1.2.3:80/'],
    ['10.0.0.0/8', 'http://10.1.2.3/'],
    ['::1', 'http://[::1]/'],
    ['[::1]:8080', 'http://[::1]:8080/'],
    ['fd00::/8', 'http://[fd12::1]/'],
  ])('asks directly what NO_PROXY=%s names: %s', (entry, url) => {
    expect(through(url, ['other.example', entry])).toBeUndefined();
  });

  it.each([
    ['up.example', 'http://notup.example/'],
    ['a.up.example', 'http://up.example/'],
    ['up.example:8080', 'http://up.example/'],
    ['10.0.0.0/8', 'http://11.1.2.3/'],
    ['10.1.2', 'http://10.1.2.3/'],
    ['10.0.0.0/99', 'http://10.1.2.3/'],
    ['1.2.3', 'http://10.1.2.3/'],
    ['.', 'http://up.example/'],
  ])('asks the proxy for what NO_PROXY=%s does not name: %s', (entry, url) => {
    expect(through(url, [entry])).toBe('a.example');
  });
});

it('shows a proxy without user name and password', () => {
  expect(shownProxy(new URL('http://user:secret@proxy.example:3128/'))).toBe('http://proxy.example:3128');
});

import { expect, it } from 'vitest';
import { withoutTrailingSlashes } from './without-trailing-slashes.ts';

it.each([
  ['', ''],
  ['/', ''],
  ['a', 'a'],
  ['/a//b///', '/a//b'],
  ['http://a.example/x/', 'http://a.example/x'],
])('%j without trailing slashes is %j', (text, expected) => {
  expect(withoutTrailingSlashes(text)).toBe(expected);
});

// An expression that tries every slash against all that follow needs minutes for it.
it('megabytes of slashes that do not end the text stay', () => {
  const text = `${'/'.repeat(8 * 1024 * 1024)}x`;
  expect(withoutTrailingSlashes(text)).toBe(text);
});

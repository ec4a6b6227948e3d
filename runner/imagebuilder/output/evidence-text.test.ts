import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { collectedBytes } from '#lib/collected-bytes.ts';
import { evidenceText } from './evidence-text.ts';

const MIB = 1024 * 1024;

it('keeps short texts whole', () => {
  expect(evidenceText('')).toBe('');
  expect(evidenceText('what make said\n')).toBe('what make said\n');
});

it.each(['a', '\u0000', '"', '\n', 'é', '€', '😀', '\ud800'])(
  'keeps the end of a long text of %j, at most a megabyte of it in a document',
  (letter) => {
    const kept = evidenceText(`${letter.repeat(2 * MIB)}the end`);
    expect(kept.endsWith(`${letter}the end`)).toBe(true);
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(MIB + 100);
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeGreaterThan(MIB / 4);
  },
);

it('collects the whole output of a process, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ max: 127, maxLength: 9_000 }), { maxLength: 20 }), (chunks) => {
      const output = collectedBytes();
      for (const chunk of chunks) output.add(Buffer.from(chunk));
      expect(output.bytes().toString('utf8')).toBe(Buffer.concat(chunks).toString('utf8'));
    }),
  );
});

import { expect, it } from 'vitest';
import { collectedBytes } from './collected-bytes.ts';

it('gives the bytes of all pieces in their order, whatever becomes of the pieces', () => {
  const collected = collectedBytes();
  const expected: Buffer[] = [];
  for (const length of [0, 1, 4095, 1, 100_000, 3, 65_536, 200_001]) {
    const piece = Buffer.alloc(length, length % 251);
    expected.push(Buffer.from(piece));
    collected.add(piece);
    piece.fill(0);
  }
  expect(collected.size).toBe(369_637);
  expect(collected.bytes().equals(Buffer.concat(expected))).toBe(true);
});

it('takes little more memory than the bytes need where each comes alone', () => {
  const collected = collectedBytes();
  const before = process.memoryUsage();
  for (let count = 0; count < 1_000_000; count++) collected.add(new Uint8Array([count]));
  const after = process.memoryUsage();
  expect(collected.size).toBe(1_000_000);
  // A piece of its own takes more than 100 bytes, in one or the other.
  expect(after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers).toBeLessThan(80_000_000);
});

import { expect, it } from 'vitest';
import { BusyGatewayError } from './errors.ts';
import { heldBytes } from './held-bytes.ts';

it('refuses what all requests together may not hold, and has room again when one has been answered', () => {
  const held = heldBytes(10);
  const [first, second] = [held.hold(), held.hold()];
  first.take(6);
  second.take(4);
  expect(() => second.take(1)).toThrow(BusyGatewayError);
  first.release();
  first.release();
  second.take(6);
  expect(() => second.take(1)).toThrow(BusyGatewayError);
  second.release();
  held.hold().take(10);
});

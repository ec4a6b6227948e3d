import { createHmac } from 'node:crypto';
import type { Context } from 'hono';
import type { ClientKey } from '#core/build/ports.ts';
import type { HttpEnv } from '../http-app.ts';
import { type ClientAddress, peerOf, subscriberOf } from './client-address.ts';

/** Half of SHA-256: two clients share a name once in 2^64. */
const KEY_LENGTH = 22;

/**
 * Names clients (an IPv4 address or an IPv6 network of 64 bits each) by a hash that only a holder of the secret can
 * compute.
 */
export const clientKeys =
  (secret: Uint8Array) =>
  (address: string): ClientKey =>
    createHmac('sha256', secret).update(subscriberOf(address)).digest('base64url').slice(0, KEY_LENGTH);

/** The address of the client that asks. */
export const addressOf = (c: Context<HttpEnv>, clientAddress: ClientAddress): string =>
  clientAddress(peerOf(c), c.req.header('X-Forwarded-For') ?? null);

import * as z from 'zod';
import { RequestHash } from '#core/request/request-hash.ts';
import { answerSchema } from '../component.ts';

/** Shapes that many answers share, each with a realistic example. */
answerSchema('RequestHash', RequestHash);

export const HASH = '9f2b6c1d0e47a58b3c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3';
export const BIN_DIR = '37239efabb35fb2e0f7d735ca942310ba4843eb926705c87806e126a8ad7fb25';
export const SHA256 = 'ea52ce74d5ae0a6a3444c7b343b6d4a4bfccb6b4af90a9ee5d43b7ff7da4cb02';

export const hash = RequestHash;
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z$/)
  .meta({ description: 'ISO 8601, UTC.' });
export const count = z.int().nonnegative();
export const packageVersions = z.record(z.string(), z.string()).meta({ description: 'Package → version.' });

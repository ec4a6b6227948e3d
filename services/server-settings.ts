import * as z from 'zod';
import { count } from '#settings/kinds.ts';
import type { ServiceName } from './topology.ts';
import { portOf } from './topology.ts';

/** The settings that every service has besides those of its function. */
export const serverSettings = (name: ServiceName) => ({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: count(0, 65_535).default(portOf(name)),
  /** The name in logs, metrics and health. */
  SERVICE_NAME: z.string().min(1).default(name),
});

export interface ServerSettings {
  readonly HOST: string;
  readonly PORT: number;
  readonly SERVICE_NAME: string;
}

import type { Log } from '#observe/log.ts';
import type { SandboxFacts } from './imagebuilder/sandbox/sandbox-facts.ts';

/** Logs at the start how builds are kept from this machine, and warns of what they reach. */
export function logSandbox(log: Log, { level: sandbox, network, memory, tmp, unsigned }: SandboxFacts): void {
  log.info('runner ready', { sandbox, network, memory, tmp, unsigned });
  if (network === 'shared') log.warn('builds have the network of this machine', { sandbox });
  if (unsigned === 'refused') log.warn('ImageBuilders without a known signature are refused', { sandbox });
}

import type { Log } from '#observe/log.ts';
import type { SandboxFacts } from './imagebuilder/sandbox/sandbox-facts.ts';

/** Logs how builds are isolated from this machine, and warns about weaknesses. */
export function logSandbox(log: Log, { level: sandbox, network, memory, tmp, unsigned }: SandboxFacts): void {
  log.info('runner ready', { sandbox, network, memory, tmp, unsigned });
  if (network === 'shared') log.warn('builds have the network of this machine', { sandbox });
  if (unsigned === 'refused') log.warn('ImageBuilders without a known signature are refused', { sandbox });
}

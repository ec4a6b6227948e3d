import { InfrastructureFailure } from './build-output.ts';

/**
 * Upstream is no longer what the build was accepted for: the ImageBuilder, the packages of the target or a feed have
 * changed. The same request means another build by now, so a client may ask again at once.
 */
export class UpstreamChangedFailure extends InfrastructureFailure {
  constructor(message: string, options: ConstructorParameters<typeof InfrastructureFailure>[1] = {}) {
    super(message, { ...options, isFinal: true });
  }
}

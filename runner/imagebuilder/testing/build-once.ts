import { join } from 'node:path';
import type { BuildOrder } from '#core/build/build-order.ts';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { imagebuilderMaker } from '../imagebuilder-maker.ts';
import { demoBinDir, demoOrder } from './demo-order.ts';

/** Makes the images of a request with what the upstream at `url` publishes now, and returns the outcome of the one attempt. */
export async function buildOnce(
  url: string,
  directory: string,
  request: Partial<BuildRequest> = {},
  known: Pick<BuildOrder, 'supportedDevices'> = {},
): Promise<BuildOutput | BuildFailure | InfrastructureFailure> {
  const maker = imagebuilderMaker({
    upstreamUrl: url,
    cacheDirectory: join(directory, 'cache'),
    workDirectory: join(directory, 'work'),
    keyDirectory: join(directory, 'keys'),
    downloadBackoffMs: 1,
  });
  const order = { ...(await demoOrder(url, request)), ...known };
  const progress = { enter: () => undefined, log: () => undefined };
  return maker.make(order, demoBinDir(), progress, new AbortController().signal).catch(async (error: unknown) => {
    if (!(error instanceof BuildFailure) && !(error instanceof InfrastructureFailure)) throw error;
    await error.evidence.dispose?.();
    return error;
  });
}

import { httpPrepareService } from '#adapters/prepare-service/prepare-service.ts';
import type { AskPrepare } from '#core/request/prepare-remotely.ts';
import type { Log } from '#observe/log.ts';

/** How to ask the prepare service that the settings name; absent where they name none. */
export function askPrepare(
  { PREPARE_SERVICE_URL: url }: { readonly PREPARE_SERVICE_URL?: string | undefined },
  log: Log,
): { askPrepare?: AskPrepare } {
  if (url === undefined) return {};
  const onError = (error: unknown) => log.warn('prepare service not used: packages resolved here', { error });
  return { askPrepare: httpPrepareService({ url, onError }) };
}

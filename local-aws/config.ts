import { fileURLToPath } from 'node:url';

/**
 * The address of a LocalStack that already runs, such as `http://127.0.0.1:4566`. Without it, the command starts one.
 */
export const LOCALSTACK_URL = process.env['LOCALSTACK_URL'];

/** The directory into which host mode installs LocalStack on its first start. */
export const LOCALSTACK_DIRECTORY = process.env['LOCALSTACK_DIRECTORY'] ?? fileURLToPath(new URL('../.localstack', import.meta.url));

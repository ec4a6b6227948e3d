import { fileURLToPath } from 'node:url';

/** A LocalStack that runs already, such as `http://127.0.0.1:4566`; without it one is started. */
export const LOCALSTACK_URL = process.env['LOCALSTACK_URL'];

/** Where host mode installs LocalStack, once. */
export const LOCALSTACK_DIRECTORY = process.env['LOCALSTACK_DIRECTORY'] ?? fileURLToPath(new URL('../.localstack', import.meta.url));

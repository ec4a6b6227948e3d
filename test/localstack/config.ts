export { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from '../../local-aws/config.ts';

import { DEVELOPMENT_NAMES } from '#local-aws/resources/aws-resources.ts';
import { createResources } from '#local-aws/resources/create-resources.ts';
import { awsClients } from './aws-clients.ts';

/** Makes the tables, queues and bucket that `compose.services.yaml` uses, at the AWS that `AWS_ENDPOINT_URL` names. */
await createResources(awsClients({ S3_FORCE_PATH_STYLE: true }), DEVELOPMENT_NAMES);

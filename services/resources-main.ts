import { awsClients } from './aws-clients.ts';
import { createResources } from './create-resources.ts';
import { RESOURCES } from './topology.ts';

/** Makes the tables, queues and bucket that `compose.services.yaml` uses, at the AWS that `AWS_ENDPOINT_URL` names. */
await createResources(awsClients({ S3_FORCE_PATH_STYLE: true }), RESOURCES);

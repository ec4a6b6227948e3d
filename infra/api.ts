import { buildSubmit } from './functions/build-submit.ts';
import { catalogue } from './functions/catalogue.ts';
import { prepare } from './functions/prepare.ts';
import { status } from './functions/status.ts';
import { store } from './functions/store.ts';
import { logRetention } from './stage.ts';

/** The functions behind one HTTP API. Methods are theirs to refuse, and CORS theirs to grant: on errors too, and in one way. */
export const api = new sst.aws.ApiGatewayV2('Api', { cors: false, accessLog: { retention: logRetention } });

const ROUTES: readonly (readonly [path: string, handler: sst.aws.Function])[] = [
  ['/api/v1/build', buildSubmit],
  ['/api/v1/build/prepare', buildSubmit],
  ['/api/v1/build/{hash}', status],
  ['/api/v1/build/{hash}/{proxy+}', status],
  ['/api/v1/prepare', prepare],
  ['/apply', prepare],
  ['/json/v1/{proxy+}', catalogue],
  ['/api/v1/revision/{proxy+}', catalogue],
  ['/api/v1/latest', catalogue],
  ['/api/v1/overview', catalogue],
  ['/api/overview', catalogue],
  ['/overview', catalogue],
];
for (const [path, handler] of ROUTES) api.route(`ANY ${path}`, handler.arn);
api.route('$default', store.arn);

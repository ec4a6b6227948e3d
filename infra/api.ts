import { ACCESS_LOG_FORMAT } from './access-log-format.ts';
import { API_ROUTES } from './api-routes.ts';
import { buildSubmit } from './functions/build-submit.ts';
import { catalogue } from './functions/catalogue.ts';
import { docs } from './functions/docs.ts';
import { prepare } from './functions/prepare.ts';
import { stats } from './functions/stats.ts';
import { status } from './functions/status.ts';
import { store } from './functions/store.ts';
import { logRetention } from './stage.ts';

/** The one HTTP API of all functions. The functions answer CORS themselves, so that errors have the same headers. */
export const api = new sst.aws.ApiGatewayV2('Api', {
  cors: false,
  accessLog: { retention: logRetention },
  transform: {
    stage: (stage) => {
      stage.accessLogSettings = $resolve([stage.accessLogSettings]).apply(([settings]) => ({
        destinationArn: settings?.destinationArn ?? '',
        format: ACCESS_LOG_FORMAT,
      }));
    },
  },
});

/** The functions behind the API, by the name that they have in metrics. */
export const functions = { prepare, 'build-submit': buildSubmit, status, catalogue, stats, store, docs };
for (const [path, name] of API_ROUTES) api.route(`ANY ${path}`, functions[name].arn);
api.route('$default', store.arn);

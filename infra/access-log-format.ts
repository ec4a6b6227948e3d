/** The format of the API's access log. It has the route and never the path, since a path may name a private build. */
export const ACCESS_LOG_FORMAT = JSON.stringify({
  requestTime: '$context.requestTime',
  requestId: '$context.requestId',
  httpMethod: '$context.httpMethod',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLatency: '$context.responseLatency',
  integrationRequestId: '$context.integration.requestId',
  integrationStatus: '$context.integration.status',
  integrationLatency: '$context.integration.latency',
  integrationServiceStatus: '$context.integration.integrationStatus',
  integrationError: '$context.integration.error',
  ip: '$context.identity.sourceIp',
  userAgent: '$context.identity.userAgent',
});

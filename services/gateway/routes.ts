/** The services that the gateway knows. `<NAME>_SERVICE_URL` is the address of each. */
export const GATEWAY_SERVICES = ['prepare', 'build', 'status', 'catalogue', 'stats'] as const;
export type GatewayService = (typeof GATEWAY_SERVICES)[number];

export interface GatewayRoute {
  readonly paths: readonly string[];
  readonly service: GatewayService;
  /** The service that the gateway asks instead when this one cannot answer a GET or HEAD. */
  readonly standIn?: GatewayService;
  /** The time limit to the beginning of the answer, stand-in included. */
  readonly timeoutMs: number;
}

/**
 * The service that answers each path; the first match wins. Clients reach finished builds and their images even when
 * one service is away, since the build service has the same routes over the same state.
 */
export const GATEWAY_ROUTES: readonly GatewayRoute[] = [
  { paths: ['/api/v1/prepare', '/apply'], service: 'prepare', timeoutMs: 15_000 },
  { paths: ['/api/v1/build', '/api/v1/build/prepare'], service: 'build', timeoutMs: 30_000 },
  { paths: ['/api/v1/build/*', '/store/*', '/signing-key.pub'], service: 'status', standIn: 'build', timeoutMs: 10_000 },
  {
    paths: ['/json/v1/*', '/api/v1/latest', '/api/v1/overview', '/api/overview', '/overview', '/api/v1/revision/*'],
    service: 'catalogue',
    timeoutMs: 15_000,
  },
  {
    paths: ['/api/v1/openapi.json', '/api/v1/docs', '/api/v1/docs/*', '/api/v1/redoc', '/docs', '/redoc', '/openapi.json'],
    service: 'catalogue',
    timeoutMs: 5_000,
  },
  {
    paths: [
      ...['/', '/stats', '/api/v1/stats', '/api/v1/stats/*', '/api/v1/builds-per-day', '/api/v1/builds-by-version'],
      ...['/api/v1/top-packages', '/api/v1/build-errors'],
    ],
    service: 'stats',
    timeoutMs: 10_000,
  },
];

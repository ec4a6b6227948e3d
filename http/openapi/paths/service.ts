import { type Answer, answer, json } from '../answer.ts';
import { shared } from '../errors.ts';
import { Health, NotReady, Ready } from '../schemas/service.ts';

const get = (operationId: string, tag: string, summary: string, responses: object) => ({
  get: { operationId, tags: [tag], summary, responses },
});
const page = (description: string): Answer => answer(description, {}, { 'text/html': { schema: { type: 'string' } } });
const facts = { service: 'standalone', version: '0.1.0', timestamp: '2026-11-20T21:57:05.088Z' };

/** The paths about the server itself: pages, probes and metrics. */
export const servicePaths = {
  '/': get('getOverviewPage', 'pages', 'What this server offers, for people', { 200: page('A page.'), ...shared({ 503: 'Unavailable' }) }),
  '/stats': get('getStatisticsPage', 'pages', 'Figures, for people', { 200: page('A page.'), ...shared({ 503: 'Unavailable' }) }),
  '/api/v1/docs': get('getDocumentation', 'pages', 'This document, to read and to try', { 200: page('A page.'), ...shared({}) }),
  '/api/v1/redoc': get('getDocumentationElsewhere', 'pages', 'The same at another path', {
    301: answer('At `/api/v1/docs`.', { headers: ['Location'] }),
    ...shared({}),
  }),
  '/api/v1/openapi.json': get('getOpenApi', 'pages', 'This document', {
    200: answer(
      'OpenAPI 3.1.',
      { headers: ['ETag'] },
      { 'application/json': { schema: { type: 'object', required: ['openapi', 'info', 'paths'] } } },
    ),
    304: answer('As it is known.', { headers: ['ETag'] }),
    ...shared({}),
  }),
  '/health': get('getHealth', 'operation', 'Does the server answer?', {
    200: json('It does.', Health, { health: { ...facts, status: 'ok' } }),
    ...shared({}),
  }),
  '/ready': get('getReadiness', 'operation', 'Does everything that the server needs work?', {
    200: json('It does.', Ready, {
      ready: {
        ...facts,
        checks: { database: 'ok', upstream: 'ok' },
        sandbox: { level: 'bwrap', network: 'none', memory: 'cgroup v2', tmp: 'own', unsigned: 'built' },
        status: 'ready',
      },
    }),
    503: json('It does not.', NotReady, {
      upstream: {
        ...facts,
        checks: { database: 'ok', upstream: 'no answer within 5 s' },
        status: 503,
        title: 'Service Unavailable',
        detail: 'Service Unavailable: upstream',
      },
    }),
    ...shared({}),
  }),
  '/metrics': get('getMetrics', 'operation', 'Figures for Prometheus', {
    200: answer('Text format of Prometheus.', {}, { 'text/plain': { schema: { type: 'string' } } }),
    ...shared({}),
  }),
};

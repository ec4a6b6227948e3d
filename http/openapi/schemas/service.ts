import * as z from 'zod';
import { answerSchema } from '../component.ts';
import { count, time } from './fields.ts';

export const QueueLength = answerSchema(
  'QueueLength',
  z.object({ queue_length: count.meta({ description: 'The number of waiting builds.' }) }),
);

export const Summary = answerSchema(
  'Summary',
  z.object({ queue_length: count, builds_24h: count.meta({ description: 'The number of builds that succeeded in the last 24 hours.' }) }),
);

export const Chart = answerSchema(
  'Chart',
  z
    .object({
      labels: z.array(z.string().regex(/^\d{4}-\d{2}-\d{2}Z$/)),
      datasets: z.array(z.object({ label: z.string(), data: z.array(z.number()), color: z.string().optional() })),
    })
    .meta({ description: 'Data of a chart, in the shape of chart.js.' }),
);

export const TopPackages = answerSchema(
  'TopPackages',
  z.object({ packages: z.array(z.object({ name: z.string(), count })), branch: z.string().nullable(), days: count }),
);

const service = { service: z.string(), version: z.string(), timestamp: time };

export const Health = answerSchema('Health', z.object({ ...service, status: z.literal('ok') }));

const checks = z.record(z.string(), z.string()).meta({ description: 'Dependency → `ok`, or what is wrong.' });

const readiness = z
  .enum(['ready', 'degraded'])
  .meta({ description: '`degraded`: a source, such as upstream, does not answer. The server answers from its copies.' });

/** `SandboxFacts` of the runner: the isolation of builds from the machine that makes them. */
const sandbox = z
  .object({
    level: z.enum(['bwrap', 'unshare', 'uid', 'plain']),
    network: z.enum(['none', 'shared']).meta({ description: '`shared`: scripts of packages reach what the machine reaches.' }),
    memory: z.enum(['cgroup v1', 'cgroup v2', 'watched']),
    tmp: z.enum(['own', 'shared']),
    unsigned: z.enum(['built', 'refused']).meta({ description: 'ImageBuilders without the signature of a known key.' }),
  })
  .optional()
  .meta({ description: 'The isolation of builds, where this process makes them.' });

export const Ready = answerSchema('Ready', z.object({ ...service, checks, sandbox, status: readiness }));

export const NotReady = answerSchema(
  'NotReady',
  z.object({ ...service, checks, sandbox, status: z.literal(503), title: z.string(), detail: z.string() }),
);

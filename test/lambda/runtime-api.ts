import type { ServerResponse } from 'node:http';
import { bodyOf, startHttpServer } from '#test/support/http-server.ts';

/** A failure as the runtime client reports it. */
export interface RuntimeFailure {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** The Runtime API that Lambda offers to a function's process: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export interface RuntimeApi {
  /** The value of `AWS_LAMBDA_RUNTIME_API`: host and port. */
  readonly address: string;
  /** Hands an event to the process when it asks for the next one, and returns the answer. */
  invoke(event: unknown): Promise<{ answer: unknown } | { failure: RuntimeFailure }>;
  /** Settles when the process reports that it cannot start. */
  readonly initFailure: Promise<RuntimeFailure>;
  close(): Promise<void>;
}

interface Invocation {
  readonly id: string;
  readonly event: string;
  readonly resolve: (said: { answer: unknown } | { failure: RuntimeFailure }) => void;
}

const DEADLINE_MS = 30_000;

export async function runtimeApi(): Promise<RuntimeApi> {
  const waiting: Invocation[] = [];
  const asking: ServerResponse[] = [];
  const underWay = new Map<string, Invocation>();
  const initFailure = Promise.withResolvers<RuntimeFailure>();
  let count = 0;

  const match = () => {
    for (;;) {
      const response = asking[0];
      const invocation = waiting[0];
      if (response === undefined || invocation === undefined) return;
      asking.shift();
      waiting.shift();
      underWay.set(invocation.id, invocation);
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Lambda-Runtime-Aws-Request-Id': invocation.id,
        'Lambda-Runtime-Deadline-Ms': String(Date.now() + DEADLINE_MS),
        'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:us-east-1:000000000000:function:asu',
        'Lambda-Runtime-Trace-Id': 'Root=1-00000000-000000000000000000000000;Sampled=0',
      });
      response.end(invocation.event);
    }
  };
  const server = await startHttpServer(async (request, response) => {
    const [, id = '', verb = ''] =
      /^\/2018-06-01\/runtime\/(?:invocation\/)?(?:([^/]+)\/)?(next|response|error)$/.exec(request.url ?? '') ?? [];
    if (verb === 'next') {
      asking.push(response);
      return match();
    }
    const body = (await bodyOf(request)).toString('utf8');
    response.writeHead(202, { 'Content-Type': 'application/json' }).end('{"status":"OK"}');
    if (id === 'init') return initFailure.resolve(JSON.parse(body));
    const invocation = underWay.get(id);
    underWay.delete(id);
    invocation?.resolve(verb === 'response' ? { answer: JSON.parse(body) } : { failure: JSON.parse(body) });
  });

  return {
    address: new URL(server.url).host,
    invoke: (event) =>
      new Promise((resolve) => {
        count += 1;
        waiting.push({ id: `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`, event: JSON.stringify(event), resolve });
        match();
      }),
    initFailure: initFailure.promise,
    close: server.close,
  };
}

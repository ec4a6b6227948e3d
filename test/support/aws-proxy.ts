import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { bodyOf, startHttpServer } from './http-server.ts';

/** A call to AWS, as the client sends it. */
export interface AwsCall {
  /** The name of the call, such as `PutItem` or `SendMessage`. For S3 it is the HTTP method, such as `PUT`. */
  readonly operation: string;
  /** The path, which is `/<bucket>/<key>` for S3. */
  readonly path: string;
  /** The body. An object's may be long, and is not text. */
  readonly body: Buffer;
}

/** An error that the proxy answers instead of passing a call on. */
export interface AwsFault {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export const THROTTLED: AwsFault = {
  status: 400,
  contentType: 'application/x-amz-json-1.0',
  body: JSON.stringify({ __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow down' }),
};
export const BROKEN: AwsFault = {
  status: 500,
  contentType: 'application/xml',
  body: '<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>',
};

/** The answer of IAM to a call that a role may not make. */
export const DENIED: AwsFault = {
  status: 403,
  contentType: 'application/x-amz-json-1.0',
  body: JSON.stringify({ __type: 'AccessDeniedException', message: 'not authorized to perform this' }),
};
export const DENIED_BY_S3: AwsFault = {
  status: 403,
  contentType: 'application/xml',
  body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
};

export interface Costs {
  readonly reads: number;
  readonly writes: number;
  /** The calls to SQS, by name. */
  readonly sqs: Readonly<Record<string, number>>;
}

/** A proxy between processes and LocalStack that counts the cost of calls and can make calls fail. */
export interface AwsProxy {
  readonly url: string;
  /** Called for each call. If it returns a fault, the proxy answers this fault and does not pass the call on. */
  fail(faultOf: (call: AwsCall) => AwsFault | undefined): void;
  /** Returns the cost of the calls since the last `take`. */
  take(): Costs;
  peek(): Costs;
  close(): Promise<void>;
}

const WRITES = /^(Put|Update|Delete|TransactWrite|BatchWrite)Item/;

interface Consumed {
  readonly CapacityUnits?: number;
}

export async function awsProxy(target: string): Promise<AwsProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  let faultOf: (call: AwsCall) => AwsFault | undefined = () => undefined;
  let costs = { reads: 0, writes: 0, sqs: {} as Record<string, number> };

  const count = (operation: string, body: string) => {
    const { ConsumedCapacity, __type } = JSON.parse(body) as { ConsumedCapacity?: Consumed | Consumed[]; __type?: string };
    // A failed conditional write costs as much as a write, but its answer does not include the cost.
    const refused = __type?.endsWith('ConditionalCheckFailedException') ? [{ CapacityUnits: 1 }] : [];
    const units = [ConsumedCapacity ?? refused].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
    costs[WRITES.test(operation) ? 'writes' : 'reads'] += units;
  };
  const server = await startHttpServer(async (request, response) => {
    const [service = '', operation = request.method ?? ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const path = decodeURIComponent(request.url?.split('?')[0] ?? '');
    let body = await bodyOf(request);
    const fault = faultOf({ operation, path, body });
    if (fault !== undefined) {
      return response.writeHead(fault.status, { 'content-type': fault.contentType }).end(fault.body);
    }
    const headers = { ...request.headers };
    const isDynamo = service.startsWith('DynamoDB');
    if (isDynamo) {
      body = Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), ReturnConsumedCapacity: 'INDEXES' }));
      headers['content-length'] = String(body.length);
    }
    if (service === 'AmazonSQS') costs.sqs[operation] = (costs.sqs[operation] ?? 0) + 1;
    const answer = await forward({ hostname, port, agent, method: request.method, path: request.url, headers }, body);
    // If the service ends its answer early, so does the proxy.
    if (answer === undefined) return response.destroy();
    if (isDynamo) count(operation, answer.body.toString());
    return response.writeHead(answer.status, answer.headers).end(answer.body);
  });

  return {
    url: server.url,
    fail: (next) => {
      faultOf = next;
    },
    peek: () => costs,
    take: () => {
      const taken = costs;
      costs = { reads: 0, writes: 0, sqs: {} };
      return taken;
    },
    close: () => {
      agent.destroy();
      return server.close();
    },
  };
}

interface ServiceAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Returns the answer of the service, or `undefined` if the service ended it early. */
async function forward(options: RequestOptions, body: Buffer): Promise<ServiceAnswer | undefined> {
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(options, resolve).once('error', reject).end(body);
    });
    return { status: answer.statusCode ?? 502, headers: answer.headers, body: await bodyOf(answer) };
  } catch {
    return undefined;
  }
}

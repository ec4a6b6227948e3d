import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './answer-faults.ts';
import type { Journal } from './journal.ts';
import type { Promises, SeenBuild, Sighting } from './promises.ts';
import type { ChaosRequest } from './requests.ts';
import type { Visit } from './visits.ts';

export interface ClientDeps {
  /** The server's address, which may change when it starts again. */
  readonly url: () => string;
  readonly promises: Promises;
  readonly journal: Journal;
  readonly time: () => number;
  /** Aborts when the run is to end at once. */
  readonly stop: AbortSignal;
  /** Called with each new result that a client was given; settles when its files are checked. */
  readonly onResult: (build: SeenBuild, body: Answer['body']) => Promise<void>;
}

/** A server that is down, or a connection that broke, counts as no answer; so does one that took this long. */
const ANSWER_MS = 60_000;
const AGAIN_MS = 250;

export interface Client {
  /** Sends a visit's requests, and waits for the end of its build if the visit does. */
  visit(visit: Visit, stop: AbortSignal): Promise<void>;
  /** Asks for the state of a build once. Returns `undefined` if no answer came. */
  ask(request: ChaosRequest, hash: string): Promise<Sighting | undefined>;
  /** Posts until the server has an answer other than that it is in trouble. */
  post(request: ChaosRequest, stop: AbortSignal): Promise<SeenBuild | undefined>;
}

export function client({ url, promises, journal, time, stop: halt, onResult }: ClientDeps): Client {
  const exchange = async (path: string, init: RequestInit, hash?: string): Promise<Sighting | undefined> => {
    const sentAt = time();
    try {
      const response = await fetch(url() + path, { ...init, signal: AbortSignal.any([halt, AbortSignal.timeout(ANSWER_MS)]) });
      const text = await response.text();
      const answer = { status: response.status, body: bodyOf(text), retryAfter: response.headers.get('Retry-After') };
      return { ...answer, ...(hash !== undefined && { hash }), sentAt, at: time() };
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') journal.note(`no answer in ${ANSWER_MS / 1000} s`, hash);
      return undefined;
    }
  };
  const sendPost = (request: ChaosRequest) => {
    promises.posts(request);
    return exchange('/api/v1/build', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(request.body) });
  };
  const seen = async (request: ChaosRequest, sighting: Sighting | undefined) => {
    const build = sighting && promises.saw(request, sighting);
    if (build !== undefined && sighting?.status === 200) await onResult(build, sighting.body);
    return build;
  };
  const ask = async (request: ChaosRequest, hash: string) => {
    const sighting = await exchange(`/api/v1/build/${hash}`, {}, hash);
    await seen(request, sighting);
    return sighting;
  };
  const post = async (request: ChaosRequest, stop: AbortSignal, copies = 1): Promise<SeenBuild | undefined> => {
    while (!stop.aborted) {
      const answers = await Promise.all(Array.from({ length: copies }, () => sendPost(request)));
      const builds = await Promise.all(answers.map((sighting) => seen(request, sighting)));
      const build = builds.find((one) => one !== undefined);
      if (build !== undefined || answers.some((one) => one !== undefined && one.status < 500)) return build;
      await delay(AGAIN_MS, undefined, { signal: stop }).catch(() => undefined);
    }
    return undefined;
  };
  const leave = async ({ request, behaviour, leaveAfterMs }: Visit) => {
    promises.posts(request);
    const { hostname, port, host } = new URL(url());
    const body = Buffer.from(JSON.stringify(request.body));
    const head = `POST /api/v1/build HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(head);
    socket.write(behaviour === 'leaves-while-sending' ? body.subarray(0, body.length / 2) : body);
    await delay(leaveAfterMs);
    socket.destroy();
    journal.note(`a client of request ${request.number} disconnected (${behaviour}) after ${leaveAfterMs} ms`);
  };

  return {
    ask,
    post,
    visit: async (visit, stop) => {
      const { request, copies, behaviour, pollMs } = visit;
      if (behaviour !== 'waits') return leave(visit);
      const build = await post(request, stop, copies);
      if (build === undefined) return;
      while (!stop.aborted && (build.state === 'queued' || build.state === 'building')) {
        await delay(pollMs, undefined, { signal: stop }).catch(() => undefined);
        if (!stop.aborted) await ask(request, build.hash);
      }
    },
  };
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

function bodyOf(text: string): Answer['body'] {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return { text };
  }
}

import { setTimeout } from 'node:timers/promises';

/**
 * Protects a runner that builds from being ended by ECS. Calls return at once, and builds go on when a request fails.
 */
export interface TaskProtection {
  /** Called when the build of this name has begun. The task is protected until it ends. */
  begin(build: string): void;
  /** Called when the build has ended. After the last one the task is no longer protected. */
  end(build: string): void;
}

export interface EcsTaskProtectionOptions {
  /** The value of `ECS_AGENT_URI`. */
  readonly agentUri: string;
  /** The time after which the protection ends if no build ends before. */
  readonly minutes: number;
  /** The pause before each further attempt, when the agent refuses or does not answer. */
  readonly pausesMs?: readonly number[];
  /** Called with each refusal or failed request. */
  readonly onError: (error: unknown) => void;
}

const PATIENCE_MS = 5_000;
/** Throttling passes in seconds, and a deployment that blocks protection may end soon; a build takes minutes. */
const PAUSES_MS = [1_000, 5_000, 30_000];
/** The number of characters of an answer that an error shows. The agent's answers are a few hundred characters long. */
const MOST_SHOWN = 1_000;

/**
 * Returns scale-in protection for the runner's own ECS task, through the agent's endpoint. The agent answers 200 even
 * where ECS refuses, so only an answer that confirms the request counts. After a refusal the runner tries a few more
 * times, and stops when a newer request replaces this one; the build goes on meanwhile. Spot reclaims and deployment
 * deadlines end the task in spite of the protection: SIGTERM then makes the runner hand the build back.
 */
export function ecsTaskProtection({ agentUri, minutes, pausesMs = PAUSES_MS, onError }: EcsTaskProtectionOptions): TaskProtection {
  const building = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  let wish = new AbortController();
  const put = async (body: Wish) => {
    const response = await fetch(`${agentUri}/task-protection/v1/state`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer = await response.text();
    if (!response.ok || protectionIn(answer) !== body.ProtectionEnabled)
      throw new Error(`task protection could not be changed: ${response.status} ${answer.slice(0, MOST_SHOWN)}`);
  };
  const insist = async (body: Wish, overtaken: AbortSignal) => {
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        return await put(body);
      } catch (error) {
        onError(error);
      }
      if (pauseMs === undefined || overtaken.aborted) return;
      // This timer does not keep a runner alive that has nothing left to do.
      await setTimeout(pauseMs, undefined, { signal: overtaken, ref: false }).catch(() => undefined);
      if (overtaken.aborted) return;
    }
  };
  // Requests go out one after the other, so that the agent hears the newest one last.
  const say = (body: Wish) => {
    wish.abort();
    wish = new AbortController();
    const { signal } = wish;
    last = last.then(() => insist(body, signal));
  };
  return {
    begin(build) {
      building.add(build);
      // A protected task is protected again, because the period starts over.
      say({ ProtectionEnabled: true, ExpiresInMinutes: minutes });
    },
    end(build) {
      if (building.delete(build) && building.size === 0) say({ ProtectionEnabled: false });
    },
  };
}

interface Wish {
  readonly ProtectionEnabled: boolean;
  readonly ExpiresInMinutes?: number;
}

/**
 * Returns whether the task is protected according to the agent's answer; `undefined` when the answer says something
 * else, such as `{"failure": {"Reason": …}}` or `{"error": {"Code": …}}`.
 */
function protectionIn(answer: string): unknown {
  try {
    return (JSON.parse(answer) as { protection?: { ProtectionEnabled?: unknown } } | null)?.protection?.ProtectionEnabled;
  } catch {
    return undefined;
  }
}

/** Does nothing: a runner outside ECS needs no protection. */
export const noTaskProtection: TaskProtection = { begin: () => undefined, end: () => undefined };

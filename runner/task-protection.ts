import { setTimeout } from 'node:timers/promises';

/** Tells whoever ends runners that one is at work. Calls return at once, and are of no consequence when they fail. */
export interface TaskProtection {
  /** The build of this name has begun: for its time the task is not to be ended. */
  begin(build: string): void;
  /** It has ended; the last to end gives the task free. */
  end(build: string): void;
}

export interface EcsTaskProtectionOptions {
  /** `ECS_AGENT_URI`. */
  readonly agentUri: string;
  /** After so long without an end the task may be taken all the same. */
  readonly minutes: number;
  /** How long to wait before each further attempt, when the agent refuses or does not answer. */
  readonly pausesMs?: readonly number[];
  /** Called with each refusal. */
  readonly onError: (error: unknown) => void;
}

const PATIENCE_MS = 5_000;
/** Throttling passes in seconds, and a deployment that blocks protection may end; a build takes minutes. */
const PAUSES_MS = [1_000, 5_000, 30_000];
/** The agent's answers are a few hundred characters long. */
const MOST_SHOWN = 1_000;

/**
 * Scale-in protection of the runner's own ECS task, through the agent's endpoint. The agent answers 200 also where ECS refuses: only
 * an answer that says what was asked for counts. A refusal is told and the agent asked again, a few times and no longer than the
 * wish stands; the build goes on meanwhile. Spot reclaims and deployments' deadlines come through all the same: then SIGTERM hands
 * the build back.
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
      // A runner that has nothing left to do does not stay for this.
      await setTimeout(pauseMs, undefined, { signal: overtaken, ref: false }).catch(() => undefined);
      if (overtaken.aborted) return;
    }
  };
  // One after the other: the last word is to be the last that the agent hears.
  const say = (body: Wish) => {
    wish.abort();
    wish = new AbortController();
    const { signal } = wish;
    last = last.then(() => insist(body, signal));
  };
  return {
    begin(build) {
      building.add(build);
      // Also when it is on already: its time begins anew.
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
 * Whether the task is protected, as the agent's answer says it; undefined where it says something else, such as
 * `{"failure": {"Reason": …}}` or `{"error": {"Code": …}}`.
 */
function protectionIn(answer: string): unknown {
  try {
    return (JSON.parse(answer) as { protection?: { ProtectionEnabled?: unknown } } | null)?.protection?.ProtectionEnabled;
  } catch {
    return undefined;
  }
}

/** Where nobody ends runners at work. */
export const noTaskProtection: TaskProtection = { begin: () => undefined, end: () => undefined };

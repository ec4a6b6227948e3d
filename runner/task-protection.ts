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
  readonly onTrouble: (error: unknown) => void;
}

const PATIENCE_MS = 5_000;

/**
 * Scale-in protection of the own ECS task, through the agent's endpoint. Spot reclaims and deployments' deadlines come through
 * all the same: then SIGTERM hands the build back.
 */
export function ecsTaskProtection({ agentUri, minutes, onTrouble }: EcsTaskProtectionOptions): TaskProtection {
  const building = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  const put = async (body: object) => {
    const response = await fetch(`${agentUri}/task-protection/v1/state`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) throw new Error(`task protection could not be changed: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  };
  // One after the other: the last word is to be the last that the agent hears.
  const say = (body: object) => {
    last = last.then(() => put(body)).catch(onTrouble);
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

/** Where nobody ends runners at work. */
export const noTaskProtection: TaskProtection = { begin: () => undefined, end: () => undefined };

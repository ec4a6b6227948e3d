import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';

/** A machine on which one process after the other runs: when one dies, the next starts after a while. */
export interface Machine<Running> {
  /** What runs now; `undefined` while nothing does. */
  running(): Running | undefined;
}

/** How long a machine is without a process after one has died. */
const SHORTEST_OUTAGE_MS = 2_000;
const LONGEST_OUTAGE_MS = 40_000;

export interface MachineOptions {
  /** Called when the process gets SIGTERM; default: it dies. */
  readonly onTerm?: (process: SimulatedProcess) => void;
}

export function machine<Running>(
  world: World,
  name: string,
  start: (process: SimulatedProcess) => Running,
  { onTerm }: MachineOptions = {},
): Machine<Running> {
  const random = world.randomOf(name);
  let generation = 0;
  let running: Running | undefined;
  const boot = () => {
    generation += 1;
    const process = world.spawn({
      name: `${name}.${generation}`,
      machine: name,
      onTerm: () => (onTerm === undefined ? process.kill() : onTerm(process)),
    });
    process.onDeath(() => {
      running = undefined;
      world.scheduler.in(random.between(SHORTEST_OUTAGE_MS, LONGEST_OUTAGE_MS), boot);
    });
    running = start(process);
  };
  boot();
  return { running: () => running };
}

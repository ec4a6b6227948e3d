interface StepAdjustment {
  readonly metricIntervalLowerBound?: string;
  readonly metricIntervalUpperBound?: string;
  readonly scalingAdjustment: number;
}

/** AWS takes 20. */
const MAX_STEPS = 20;

/**
 * How many runners for how many builds, counted from the alarm's threshold of one: a runner each while they are few, then in
 * doubling steps, of which each has the runners for its fewest builds, and at the end all there may be.
 */
export function capacitySteps(max: number): StepAdjustment[] {
  const capacities = [1, 2, 3, 4, 6, 8];
  for (let next = 12; next < max; next = Math.ceil(next * 1.5)) capacities.push(next);
  const steps = [...capacities.filter((capacity) => capacity < max).slice(0, MAX_STEPS - 1), max];
  return steps.map((capacity, index) => {
    const next = steps[index + 1];
    return {
      metricIntervalLowerBound: String(capacity - 1),
      ...(next !== undefined && { metricIntervalUpperBound: String(next - 1) }),
      scalingAdjustment: capacity,
    };
  });
}

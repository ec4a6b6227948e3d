interface StepAdjustment {
  readonly metricIntervalLowerBound?: string;
  readonly metricIntervalUpperBound?: string;
  readonly scalingAdjustment: number;
}

/** The most steps that AWS accepts in one policy. */
const MAX_STEPS = 20;

/**
 * Returns the number of runners for each number of builds; the bounds count from the alarm's threshold, which is one
 * build. A few builds get one runner each. Then the steps grow by half, each with as many runners as its lowest number
 * of builds. The last step has `max` runners.
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

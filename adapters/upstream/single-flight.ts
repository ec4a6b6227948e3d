/**
 * Returns the outcome of `start`. One call at a time runs for each key; callers that come during it share its outcome.
 */
export function singleFlight<T>(flights: Map<string, Promise<T>>, key: string, start: () => Promise<T>): Promise<T> {
  const flying = flights.get(key);
  if (flying !== undefined) return flying;
  const flight = start().finally(() => flights.delete(key));
  flights.set(key, flight);
  return flight;
}

/** A resource that a process cannot do without is missing or closed to it: the start fails with its name. */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
  constructor(resource: string, cause: unknown) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`${resource} cannot be used: ${reason}`, { cause });
  }
}

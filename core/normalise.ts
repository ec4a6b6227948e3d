import type { BuildRequest } from './build-request.ts';

/**
 * Spells a request the one way the rest of the system knows it: commas of device-tree names become `_` (old LuCI sends
 * board names; same as asu/routers/api.py), one leading `+` of a package name is dropped, empty names vanish. Idempotent.
 */
export function normaliseRequest(request: BuildRequest): BuildRequest {
  return {
    ...request,
    profile: request.profile.replaceAll(',', '_'),
    packages: unique(request.packages.map(plainName).filter((name) => name !== '')),
    packages_versions: Object.fromEntries(
      Object.entries(request.packages_versions)
        .map(([name, version]) => [plainName(name), version] as const)
        .filter(([name]) => name !== ''),
    ),
  };
}

const plainName = (name: string) => (name.startsWith('+') ? name.slice(1) : name);

const unique = (names: readonly string[]): string[] => [...new Set(names)];

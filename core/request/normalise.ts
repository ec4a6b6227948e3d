import type { BuildRequest } from './build-request.ts';

/** Every client that shares the build sees `client`. */
const MAX_CLIENT_LENGTH = 256;

/**
 * Returns the request in the one spelling that the rest of the system knows: commas of device-tree names become `_`
 * (old LuCI sends board names; same as asu/routers/api.py), a package name loses one leading `+`, empty names go, and
 * `client` is cut to a sensible length. Idempotent.
 */
export function normaliseRequest(request: BuildRequest): BuildRequest {
  return {
    ...request,
    // Without repositories, keys would only change whom a build trusts.
    repository_keys: Object.keys(request.repositories).length > 0 ? request.repository_keys : [],
    client: request.client?.slice(0, MAX_CLIENT_LENGTH) ?? null,
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

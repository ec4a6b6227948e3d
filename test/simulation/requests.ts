import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue, TargetRecord } from '#core/catalogue/catalogue.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import type { Policy } from '#core/request/validate-request.ts';

/**
 * What becomes of a request's builds. `good` ones succeed, unless the machine fails. `bad` ones fail each time.
 * `poison` kills each of its runners.
 */
export type Fate = 'good' | 'bad' | 'poison';

export interface SimulatedRequest {
  readonly fate: Fate;
  readonly request: BuildRequest;
}

const parse = buildRequestParser();
const asked = (fate: Fate, packages: string[], more: object = {}): SimulatedRequest => ({
  fate,
  request: parse({ version: 'SNAPSHOT', target: 'x86/64', profile: 'generic', packages: [...packages, fate], ...more }),
});

/** The requests that clients of a simulation choose from. They are few, so that clients ask for the same builds. */
export const REQUESTS: readonly SimulatedRequest[] = [
  asked('good', ['vim']),
  asked('good', ['tmux'], { packages_versions: { tmux: '1' } }),
  asked('good', ['nano'], { defaults: 'echo private' }),
  asked('bad', ['clash']),
  asked('poison', ['bomb']),
];

const RECORD: TargetRecord = {
  version: 'SNAPSHOT',
  target: 'x86/64',
  versionPath: 'snapshots',
  arch: 'x86_64',
  revision: 'r1-1111111111',
  defaultPackages: [],
  profiles: { generic: { id: 'generic', devicePackages: [], supportedDevices: [], raw: {} } },
  metadata: {},
  imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'a'.repeat(64) },
  indexes: {},
  fetchedAt: '2026-11-01T00:00:00.000Z',
};

/** A catalogue with one target that never changes: upstream has no part in what the simulation looks at. */
export const CATALOGUE: Catalogue = {
  versions: async () => ({ list: [] }),
  hasVersion: async () => true,
  hasArch: async () => true,
  targets: async () => ({ 'x86/64': 'x86_64' }),
  target: async () => RECORD,
  packages: async () => undefined,
  feeds: async () => ({}),
};

export const POLICY: Policy = { allowDefaults: true, repositoryAllowList: [], branches: DEFAULT_BRANCHES };

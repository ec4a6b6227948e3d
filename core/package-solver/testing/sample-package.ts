import type { IndexPackage } from '../index/index-package.ts';

/** Returns a package that needs and provides nothing, but for the given facts. */
export const samplePackage = (name: string, facts: Partial<IndexPackage> = {}): IndexPackage => ({
  name,
  version: '',
  arch: '',
  depends: [],
  conflicts: [],
  provides: [],
  installIf: [],
  priority: 0,
  tags: [],
  identity: '',
  isBeyond: false,
  downloadSize: 0,
  installedSize: 0,
  description: '',
  ...facts,
});

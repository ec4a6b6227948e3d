import { type IndexPackage, plainPackage } from '../index/index-package.ts';

/** Returns a package that needs and provides nothing, but for the given facts. */
export const samplePackage = (name: string, facts: Partial<IndexPackage> = {}): IndexPackage => ({
  ...plainPackage(name, '', ''),
  ...facts,
});

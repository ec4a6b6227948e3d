import type { FailureAnalysis } from './failure-analysis.ts';
import type { InstalledPackage, Manifest } from './manifest.ts';

/**
 * Returns the complaint about the first package that is not as `packages_versions` requires, in the words of
 * check_manifest in asu/util.py. An empty version means any, and a removal (`-name`) requires nothing. With
 * `installed`, the request may name a package by its name with ABI version or by one that it provides: a request for
 * `nftables` is met by `nftables-json`.
 */
export function checkManifest(
  manifest: Manifest,
  packagesVersions: Readonly<Record<string, string>>,
  installed: readonly InstalledPackage[] = [],
): FailureAnalysis | undefined {
  const byOtherName = new Map([
    ...installed.flatMap(({ provides = {} }) => Object.entries(provides)),
    ...installed.map(({ installedName, version }) => [installedName, version] as const),
  ]);
  for (const [name, required] of Object.entries(packagesVersions)) {
    if (name.startsWith('-')) continue;
    const found = Object.hasOwn(manifest, name) ? manifest[name] : byOtherName.get(name);
    if (found === undefined) return mismatch(name, required, `${name} not in manifest`);
    if (required !== '' && required !== found)
      return mismatch(name, required, `${name} version not as requested: ${required} vs. ${found}`, found);
  }
  return undefined;
}

function mismatch(name: string, required: string, message: string, found?: string): FailureAnalysis {
  const error = { code: 'version_mismatch', packages: [name], required, ...(found !== undefined && { found }), message } as const;
  return { detail: `Impossible package selection: ${message}`, errors: [error] };
}

import type { InstalledPackage, PackageQuestion } from '#core/package-solver/solve-packages.ts';
import { isCritical } from '../essential-packages.ts';
import { withoutRemoved } from '../image-packages.ts';
import type { Forecast } from './forecast.ts';

/** A name that differs from another one by an ABI version at its end. */
const ABI_VERSION = /^[-.]?\d[\w.]*$/;

/**
 * Returns what becomes of the default packages in an image with the installed ones, and which of the removals that the
 * request names have no effect.
 */
export function changedDefaults(
  { graph, defaultPackages, devicePackages }: Pick<PackageQuestion, 'graph' | 'defaultPackages' | 'devicePackages'>,
  asked: readonly string[],
  installed: readonly InstalledPackage[],
): Pick<Forecast, 'lostDefaults' | 'replacedDefaults' | 'ineffectiveRemovals'> {
  const byName = new Map(installed.map((one) => [one.name, one]));
  const packagesBehind = (name: string): string[] =>
    graph.providersOf(graph.numberOf(name)).map(({ package: one }) => graph.package(one).name);
  /** Returns the installed packages that have a name or provide it. */
  const answering = (name: string): InstalledPackage[] => packagesBehind(name).flatMap((one) => byName.get(one) ?? []);
  const itself = (name: string): InstalledPackage | undefined =>
    byName.get(name) ?? answering(name).find((one) => one.name.startsWith(name) && ABI_VERSION.test(one.name.slice(name.length)));
  const gone = withoutRemoved([...defaultPackages, ...devicePackages])
    .filter((name) => itself(name) === undefined)
    .sort();
  const replacements = gone.map((name) => ({ name, by: answering(name)[0]?.name }));
  return {
    lostDefaults: replacements.flatMap(({ name, by }) => (by === undefined ? [{ package: name, critical: isCritical(name) }] : [])),
    // A default name that is no package itself is always provided by another one.
    replacedDefaults: replacements.flatMap(({ name, by }) =>
      by !== undefined && packagesBehind(name).includes(name) ? [{ package: name, by }] : [],
    ),
    ineffectiveRemovals: [...new Set(asked)].flatMap((word) => {
      const found = word.startsWith('-') ? itself(word.slice(1)) : undefined;
      return found === undefined ? [] : [{ package: word.slice(1), needed_by: found.reason.chain }];
    }),
  };
}

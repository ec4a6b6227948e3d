import type { Branch } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import { DEFAULT_DISTRO } from '#core/catalogue/distro.ts';
import { UnsupportedDistroError } from '#core/errors.ts';
import type { PackageTables } from '#core/package-solver/package-tables.ts';

/** A catalogue for requests. Without tables, the server knows which packages there are, and not what they need. */
export type RequestCatalogue = Catalogue & Partial<PackageTables>;

/** The offer of the server for one distribution. */
export interface DistroOffer {
  readonly catalogue: RequestCatalogue;
  readonly branches: readonly Branch[];
}

/** The distributions besides the default one, by name. */
export type OtherDistros<Offer extends DistroOffer = DistroOffer> = ReadonlyMap<string, Offer>;

/** Returns the offer of a distribution. Throws `UnsupportedDistroError` with the names that the server has. */
export function offerOf(distro: string, standard: DistroOffer, others: OtherDistros | undefined): DistroOffer {
  const offer = distro === DEFAULT_DISTRO ? standard : others?.get(distro);
  if (offer === undefined) throw new UnsupportedDistroError(distro, [DEFAULT_DISTRO, ...(others?.keys() ?? [])]);
  return offer;
}

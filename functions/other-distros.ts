import type { Branch } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import type { Distro } from '#core/catalogue/distro.ts';
import type { OtherDistros } from '#core/request/distro-offer.ts';

/** A distribution besides the default one, with the address that its overview names. */
export interface NamedDistro {
  readonly catalogue: Catalogue;
  readonly branches: readonly Branch[];
  readonly upstreamUrl: string;
}

/** Returns what the server offers of each configured distribution. `catalogueOf` makes its catalogue. */
export const otherDistros = (distros: readonly Distro[], catalogueOf: (distro: Distro) => Catalogue): OtherDistros<NamedDistro> =>
  new Map(
    distros.map((distro) => [distro.name, { catalogue: catalogueOf(distro), branches: distro.branches, upstreamUrl: distro.upstreamUrl }]),
  );

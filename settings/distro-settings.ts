import * as z from 'zod';
import { Branches } from '#core/catalogue/branches.ts';
import { DEFAULT_DISTRO, type Distro } from '#core/catalogue/distro.ts';
import { usignFingerprint } from '#core/request/repository-keys.ts';
import { baseUrl, json } from './kinds.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

const upstreamUrl = baseUrl.refine(
  (url) => URL.parse(url)?.username === '' && URL.parse(url)?.password === '',
  'expected a URL without password',
);

const imagebuilderPrefix = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected the beginning of a file name, such as example-imagebuilder-');

const repositoryHost = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:\/[A-Za-z0-9._~-]+)*$/,
    'expected a host, with a path where mirrors have one, and without a scheme',
  );

const trustedKey = z.string().refine((key) => usignFingerprint(key) !== undefined, 'expected a usign public key (base64, 56 characters)');

const DistroTable = z.strictObject({
  upstream_url: upstreamUrl,
  branches: Branches,
  imagebuilder_prefix: imagebuilderPrefix.exactOptional(),
  trusted_keys: z.array(trustedKey).default([]),
  repository_hosts: z.array(repositoryHost).exactOptional(),
});

/** Returns why a distribution cannot have this name; `undefined`: it can. */
function problemOf(name: string): string | undefined {
  if (name === DEFAULT_DISTRO) return `${DEFAULT_DISTRO} is what UPSTREAM_URL, TRUSTED_KEYS and BRANCHES describe`;
  return NAME.test(name) ? undefined : 'expected a name of letters, digits and . _ -';
}

/** The distributions besides OpenWrt: name → where it is, in the order in which people see them. */
const Distros = z
  .record(z.string(), DistroTable)
  .check(({ value, issues }) => {
    for (const name of Object.keys(value)) {
      const message = problemOf(name);
      if (message !== undefined) issues.push({ code: 'custom', message, input: name, path: [name] });
    }
  })
  .transform((map): readonly Distro[] =>
    Object.entries(map).map(([name, table]) => ({
      name,
      upstreamUrl: table.upstream_url,
      imagebuilderPrefix: table.imagebuilder_prefix ?? `${name}-imagebuilder-`,
      trustedKeys: table.trusted_keys,
      repositoryHosts: table.repository_hosts ?? [new URL(table.upstream_url).host],
      branches: table.branches,
    })),
  );

export const distroSettings = { DISTROS: json.pipe(Distros).default([]) };

/** The settings of a process that offers more than one distribution. */
export interface DistroConfig {
  readonly DISTROS: readonly Distro[];
}

/** Returns distributions as a configuration file has them. */
export const writtenDistros = (distros: readonly Distro[]): Record<string, unknown> =>
  Object.fromEntries(
    distros.map(({ name, branches, ...distro }) => [
      name,
      {
        upstream_url: distro.upstreamUrl,
        imagebuilder_prefix: distro.imagebuilderPrefix,
        trusted_keys: distro.trustedKeys,
        repository_hosts: distro.repositoryHosts,
        branches: Object.fromEntries(branches.map(({ name: branch, ...rest }) => [branch, rest])),
      },
    ]),
  );

import * as z from 'zod';
import type { ResolvedPackages } from '#core/package-changes/resolve-packages.ts';
import { type BuildRequest, PACKAGE_NAME } from '#core/request/build-request.ts';
import { normaliseRequest } from '#core/request/normalise.ts';

const name = z.string().max(500).regex(PACKAGE_NAME);
const reason = { reason: z.string().max(1_000), automatic: z.literal(true) };

const Change = z.discriminatedUnion('type', [
  z.object({ type: z.literal('migration'), action: z.literal('replace'), from_package: name, to_package: name, ...reason }),
  z.object({ type: z.literal('removal'), action: z.literal('remove'), package: name, ...reason }),
  z.object({ type: z.literal('addition'), action: z.literal('add'), package: name, ...reason }),
]);

/** What of a prepare service's answer matters here. It may be older or newer than we are: what we do not know is no concern. */
const Answer = z.object({
  status: z.literal('prepared'),
  resolved_packages: z.array(name).max(2_000),
  changes: z.array(Change).max(2_000),
  prepared_request: z.object({
    distro: z.string(),
    version: z.string(),
    target: z.string(),
    packages: z.array(name),
    packages_versions: z.record(name, z.string().max(500)),
  }),
});

/**
 * Reads a prepare service's answer to the request. `undefined`: it is none, or it is of another request, or its packages differ
 * from what was asked in ways that its changes do not explain.
 */
export function preparedAnswer(body: unknown, request: BuildRequest): ResolvedPackages | undefined {
  const parsed = Answer.safeParse(body);
  if (!parsed.success) return undefined;
  const { resolved_packages: packages, changes, prepared_request: prepared } = parsed.data;
  const isOurs = (['distro', 'version', 'target'] as const).every((field) => prepared[field] === request[field]);
  if (!isOurs || prepared.packages.join(' ') !== packages.join(' ')) return undefined;

  const { packages: listed, packages_versions: versions } = normaliseRequest(request);
  const asked = new Set(Object.keys(versions).length > 0 ? Object.keys(versions) : listed);
  const resolved = new Set(packages);
  const came = new Set(changes.flatMap((change) => nameThatComes(change) ?? []));
  const went = new Set(changes.flatMap((change) => nameThatGoes(change) ?? []));
  const isExplained =
    packages.every((one) => asked.has(one) || came.has(one)) &&
    [...asked].every((one) => resolved.has(one) || went.has(one)) &&
    Object.keys(prepared.packages_versions).every((one) => resolved.has(one));
  return isExplained ? { packages, packagesVersions: prepared.packages_versions, changes } : undefined;
}

type AnyChange = z.output<typeof Change>;

const nameThatComes = (change: AnyChange) =>
  change.type === 'migration' ? change.to_package : change.type === 'addition' ? change.package : undefined;

const nameThatGoes = (change: AnyChange) =>
  change.type === 'migration' ? change.from_package : change.type === 'removal' ? change.package : undefined;

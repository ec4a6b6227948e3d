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

/**
 * The part of a prepare service's answer that is used here. The service may be older or newer, so unknown fields are
 * ignored.
 */
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
 * Returns what a prepare service resolved for the request. It returns `undefined` when the body is no such answer,
 * belongs to another request, or lists packages that differ from those of the request in ways that its changes do not
 * explain.
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
  const added = new Set(changes.flatMap((change) => addedName(change) ?? []));
  const removed = new Set(changes.flatMap((change) => removedName(change) ?? []));
  const isExplained =
    packages.every((one) => asked.has(one) || added.has(one)) &&
    [...asked].every((one) => resolved.has(one) || removed.has(one)) &&
    Object.keys(prepared.packages_versions).every((one) => resolved.has(one));
  return isExplained ? { packages, packagesVersions: prepared.packages_versions, changes } : undefined;
}

type AnyChange = z.output<typeof Change>;

const addedName = (change: AnyChange) =>
  change.type === 'migration' ? change.to_package : change.type === 'addition' ? change.package : undefined;

const removedName = (change: AnyChange) =>
  change.type === 'migration' ? change.from_package : change.type === 'removal' ? change.package : undefined;

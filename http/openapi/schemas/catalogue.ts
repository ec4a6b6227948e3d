import * as z from 'zod';
import { answerSchema } from '../component.ts';
import { count, packageVersions, time } from './fields.ts';

const PublishedPackageChange = answerSchema(
  'PublishedPackageChange',
  z
    .object({
      source: z.string().optional(),
      target: z.string().optional(),
      revision: z.int().nonnegative().meta({ description: 'The first revision with the change.' }),
      mandatory: z.boolean().optional(),
    })
    .meta({ description: '`target` replaces `source`. `source` alone is removed, `target` alone is added.' }),
);

const branch = {
  name: z.string(),
  path: z.string().meta({ description: 'The path below the upstream URL; `{version}` stands for the version.' }),
  enabled: z.boolean(),
  snapshot: z.boolean().optional(),
  path_packages: z.string().optional().meta({ deprecated: true }),
  branch_off_rev: count.optional(),
  package_changes: z.array(PublishedPackageChange).optional(),
  versions: z.array(z.string()).meta({ description: 'Newest first.' }),
  targets: z.record(z.string(), z.string()).meta({ description: 'Target → package architecture.' }),
};

const Branch = answerSchema('Branch', z.object(branch));

const KnownImagebuilder = answerSchema(
  'KnownImagebuilder',
  z.object({
    version: z.string(),
    revision: z.string(),
    available: z.boolean().meta({ description: 'Whether there is an ImageBuilder.' }),
  }),
);

const OverviewBranch = answerSchema(
  'OverviewBranch',
  z.object({
    ...branch,
    imagebuilders: z.record(z.string(), KnownImagebuilder).optional().meta({
      description: 'Target → what the server knows of its ImageBuilder. Targets that it has not read yet are absent.',
    }),
  }),
);

export const Latest = answerSchema(
  'Latest',
  z.object({ latest: z.array(z.string()) }).meta({ description: 'The upcoming, stable and old stable version, if upstream has them.' }),
);

export const BranchList = answerSchema('BranchList', z.array(Branch));

export const Overview = answerSchema(
  'Overview',
  z.object({
    latest: Latest.shape.latest,
    branches: z.record(z.string(), OverviewBranch),
    upstream_url: z.string(),
    server: z.object({
      version: z.string(),
      contact: z.string(),
      allow_defaults: z.boolean(),
      repository_allow_list: z.array(z.string()),
      max_custom_rootfs_size_mb: count,
      max_defaults_length: count,
    }),
  }),
);

export const TargetIndex = answerSchema(
  'TargetIndex',
  z
    .object({ architecture: z.string().optional(), packages: packageVersions.optional() })
    .meta({ description: 'The packages of a target with its kernel modules, or `{}` if upstream has no index.' }),
);

export const ArchitectureIndex = answerSchema(
  'ArchitectureIndex',
  packageVersions.meta({ description: 'Packages of all feeds of an architecture → version.' }),
);

export const Profile = answerSchema(
  'Profile',
  z
    .looseObject({
      id: z.string().optional(),
      build_at: time.optional(),
      version_number: z.string().optional(),
      version_code: z.string().optional(),
      target: z.string().optional(),
      arch_packages: z.string().optional(),
      default_packages: z.array(z.string()).optional(),
      device_packages: z.array(z.string()).optional(),
      images: z.array(z.looseObject({ name: z.string(), type: z.string() })).optional(),
      supported_devices: z.array(z.string()).optional(),
      titles: z.array(z.record(z.string(), z.unknown())).optional(),
    })
    .meta({
      description: "Upstream's `profiles.json` with the profile's own keys in place of the target's, or `{}` for an unknown profile.",
    }),
);

export const Revision = answerSchema('Revision', z.object({ revision: z.string() }));

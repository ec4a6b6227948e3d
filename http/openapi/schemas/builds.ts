import * as z from 'zod';
import { BUILD_STEPS } from '#core/build/build.ts';
import { ApplyRequest } from '#core/request/apply-request.ts';
import { buildRequestSchema } from '#core/request/build-request.ts';
import { answerSchema, requestSchema } from '../component.ts';
import { count, hash, sha256, time } from './fields.ts';

export const BuildRequest = requestSchema('BuildRequest', buildRequestSchema());
export { ApplyRequest };

requestSchema('ApplyRequest', ApplyRequest);

const NormalisedRequest = answerSchema('NormalisedBuildRequest', buildRequestSchema());

const common = { request_hash: hash, enqueued_at: time };
const eta = { eta_seconds: z.int().min(1).meta({ description: 'Estimated seconds until the build has ended.' }) };

export const QueuedBuild = answerSchema(
  'QueuedBuild',
  z.object({
    status: z.literal(202),
    detail: z.literal('queued'),
    queue_position: count.meta({ description: 'How many builds are ahead.' }),
    ...common,
    ...eta,
  }),
);

export const StartedBuild = answerSchema(
  'StartedBuild',
  z
    .object({
      status: z.literal(202),
      detail: z.literal('started'),
      imagebuilder_status: z.enum(BUILD_STEPS),
      request: NormalisedRequest.optional(),
      ...common,
      ...eta,
    })
    .meta({ description: 'Being built; without `queue_position`.' }),
);

const Image = z.looseObject({
  name: z.string().meta({ description: 'File below `/store/{bin_dir}/`.' }),
  type: z.string(),
  filesystem: z.string().optional(),
  sha256,
  sha256_unsigned: z.string().optional().meta({ description: 'Digest without the signature at the end.' }),
});

const output = { request: NormalisedRequest, stdout: z.string(), stderr: z.string() };

export const FinishedBuild = answerSchema(
  'FinishedBuild',
  z
    .looseObject({
      status: z.literal(200),
      detail: z.literal('done'),
      imagebuilder_status: z.literal('done'),
      ...output,
      build_cmd: z.array(z.string()).meta({ description: 'The command, word by word.' }),
      build_cmd_packages: z.array(z.string()).meta({ description: 'Packages as given to the ImageBuilder.' }),
      id: z.string().meta({ description: 'Profile that was built.' }),
      bin_dir: sha256.meta({ description: 'The files are at `/store/{bin_dir}/{name}`.' }),
      images: z.array(Image).min(1),
      manifest: z.record(z.string(), z.string()).meta({ description: 'Every package of the image → its version.' }),
      files: z.array(z.object({ name: z.string(), size: count, sha256 })).meta({ description: 'Every file below `bin_dir`.' }),
      build_at: time,
      durations_ms: z.record(z.string(), z.number()).meta({ description: 'Step → milliseconds.' }),
      inputs: z.record(z.string(), z.string()).meta({ description: 'Files of upstream that were used → SHA-256.' }),
      reproduce: z.string().meta({ description: 'Shell script that makes the same image.' }),
      version_code: z.string().optional().meta({ description: 'Revision.' }),
      version_number: z.string().optional(),
      target: z.string().optional(),
      ...common,
    })
    .meta({ description: "The result, with all of the ImageBuilder's `profiles.json` and of the profile's entry there at top level." }),
);

export const FailedBuild = answerSchema(
  'FailedBuild',
  z
    .looseObject({
      status: z.literal(500),
      title: z.enum(['Build failed', 'Build cancelled']),
      detail: z.string().min(1),
      imagebuilder_status: z.literal('failed'),
      request: output.request.optional(),
      stdout: z.string(),
      stderr: z.string(),
      build_cmd: z.array(z.string()).optional(),
      errors: z.array(z.record(z.string(), z.unknown())).optional(),
      ...common,
    })
    .meta({ description: 'The build has failed or was cancelled. `detail` says why.' }),
);

const reason = { reason: z.string().min(1).meta({ description: 'In plain words.' }), automatic: z.literal(true) };

const PackageChange = answerSchema(
  'PackageChange',
  z.union([
    z.object({ type: z.literal('migration'), action: z.literal('replace'), from_package: z.string(), to_package: z.string(), ...reason }),
    z.object({ type: z.literal('removal'), action: z.literal('remove'), package: z.string(), ...reason }),
    z.object({ type: z.literal('addition'), action: z.literal('add'), package: z.string(), ...reason }),
  ]),
);

const prepared = {
  status: z.literal('prepared'),
  original_packages: z.array(z.string()),
  original_diff_packages: z.boolean(),
  resolved_packages: z.array(z.string()),
  changes: z.array(PackageChange),
  missing: z.array(z.string()).meta({ description: 'Packages that exist nowhere: a build would be refused.' }),
  suggestions: z.record(z.string(), z.array(z.string())).optional(),
  prepared_request: NormalisedRequest,
  request_hash: hash,
  status_url: z.string().regex(/^\/api\/v1\/build\/[0-9a-f]{64}$/),
};

export const ForecastBuild = answerSchema('ForecastBuild', z.object(prepared));

export const PreparedBuild = answerSchema(
  'PreparedBuild',
  z.object({
    ...prepared,
    cache_available: z.boolean().meta({ description: 'Whether the image is there already.' }),
    cached_job_id: hash.nullable(),
  }),
);

export const AppliedChanges = answerSchema('AppliedChanges', z.object({ packages: z.array(z.string()), changes: z.array(PackageChange) }));

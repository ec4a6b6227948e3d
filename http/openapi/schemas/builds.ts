import * as z from 'zod';
import { BUILD_STEPS } from '#core/build/build.ts';
import { FORECAST_OUTCOMES } from '#core/build/forecast-outcome.ts';
import { PROBLEM_CODES } from '#core/imagebuilder/problem-codes.ts';
import { ApplyRequest } from '#core/request/apply-request.ts';
import { buildRequestSchema } from '#core/request/build-request.ts';
import { FORECAST_PROBLEM_CODES } from '#core/request/forecast/forecast.ts';
import { WARNING_CODES, type WarningCode } from '#core/warning.ts';
import { answerSchema, requestSchema } from '../component.ts';
import { count, hash, sha256, time } from './fields.ts';

export const BuildRequest = requestSchema('BuildRequest', buildRequestSchema());
export { ApplyRequest };

requestSchema('ApplyRequest', ApplyRequest);

const codes = Object.keys(WARNING_CODES) as WarningCode[];

const problemCodes = Object.keys(PROBLEM_CODES) as (keyof typeof PROBLEM_CODES)[];

const Warning = answerSchema(
  'Warning',
  z.object({
    code: z.enum(codes).meta({ description: codes.map((code) => `\`${code}\`: ${WARNING_CODES[code]}`).join('\n\n') }),
    severity: z.enum(['note', 'strong']).meta({
      description: '`strong`: the device may not work as its owner expects, or may not be reachable.',
    }),
    detail: z.string().min(1).meta({ description: 'The warning in plain words.' }),
    packages: z.array(z.string()).optional().meta({ description: 'The packages that the warning is about.' }),
  }),
);

const warnings = {
  warnings: z.array(Warning).min(1).optional().meta({
    description: 'What the owner of the device may not have meant. Without warnings, the field is absent.',
  }),
};

const NormalisedRequest = answerSchema('NormalisedBuildRequest', buildRequestSchema());

const common = { request_hash: hash, enqueued_at: time };
const eta = { eta_seconds: z.int().min(1).meta({ description: 'The estimated seconds until the build ends.' }) };

export const QueuedBuild = answerSchema(
  'QueuedBuild',
  z.object({
    status: z.literal(202),
    detail: z.literal('queued'),
    queue_position: count.meta({ description: 'The number of builds ahead.' }),
    ...warnings,
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
      ...warnings,
      ...common,
      ...eta,
    })
    .meta({ description: 'The build runs. The answer has no `queue_position`.' }),
);

const Image = z.looseObject({
  name: z.string().meta({ description: 'File below `/store/{bin_dir}/`.' }),
  type: z.string(),
  filesystem: z.string().optional(),
  sha256,
  sha256_unsigned: z.string().optional().meta({ description: 'SHA-256 of the file without the signature at its end.' }),
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
      build_cmd: z.array(z.string()).meta({ description: 'The command as a list of words.' }),
      build_cmd_packages: z.array(z.string()).meta({ description: 'The packages that the ImageBuilder got.' }),
      id: z.string().meta({ description: 'The profile of the image.' }),
      bin_dir: sha256.meta({ description: 'The files are at `/store/{bin_dir}/{name}`.' }),
      images: z.array(Image).min(1),
      manifest: z.record(z.string(), z.string()).meta({ description: 'Every package of the image → its version.' }),
      files: z.array(z.object({ name: z.string(), size: count, sha256 })).meta({ description: 'Every file below `bin_dir`.' }),
      build_at: time,
      forecast: z.enum(FORECAST_OUTCOMES).optional().meta({
        description:
          'Whether the image has the packages that the server had forecast. `none`: there was nothing to compare. Results of earlier versions lack it.',
      }),
      durations_ms: z.record(z.string(), z.number()).meta({ description: 'Step → milliseconds.' }),
      inputs: z.record(z.string(), z.string()).meta({ description: 'Upstream file that the build used → SHA-256.' }),
      ...warnings,
      reproduce: z.string().meta({ description: 'A shell script that makes the same image.' }),
      version_code: z.string().optional().meta({ description: 'Revision.' }),
      version_number: z.string().optional(),
      target: z.string().optional(),
      ...common,
    })
    .meta({
      description: "The result. All keys of the ImageBuilder's `profiles.json` and of the profile's entry in it are at the top level.",
    }),
);

const BuildProblem = answerSchema(
  'BuildProblem',
  z.looseObject({
    code: z.enum(problemCodes).meta({ description: problemCodes.map((code) => `\`${code}\`: ${PROBLEM_CODES[code]}`).join('\n\n') }),
    package: z.string().optional().meta({ description: 'The package that the problem is about.' }),
    chain: z.array(z.string()).optional().meta({
      description:
        'The names that lead to the package, from the one that was asked for to the one that needs it. Empty: it was asked for itself.',
    }),
    detail: z.string().optional().meta({ description: 'The problem in plain words. Failures of earlier versions lack it.' }),
    suggestion: z.string().optional().meta({ description: 'What the client can do, in plain words.' }),
    needed_bytes: count.optional().meta({ description: 'The bytes that the image needs at least.' }),
    available_bytes: count.optional().meta({ description: 'The bytes that there are for it.' }),
    packages: z.array(z.string()).optional().meta({ description: 'All packages that the problem is about.' }),
    providers: z.array(z.string()).optional().meta({ description: 'The packages of which the request has to choose one.' }),
    feed: z.string().optional().meta({ description: 'The feed, or the repository of the request, that could not be read.' }),
    message: z.string().optional().meta({ description: 'The same as `detail`.' }),
  }),
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
      errors: z.array(BuildProblem).optional().meta({ description: 'What went wrong, the most important first.' }),
      ...common,
    })
    .meta({ description: 'The build failed or was cancelled. `detail` says why.' }),
);

const reason = { reason: z.string().min(1).meta({ description: 'The reason in plain words.' }), automatic: z.literal(true) };

const PackageChange = answerSchema(
  'PackageChange',
  z.union([
    z.object({ type: z.literal('migration'), action: z.literal('replace'), from_package: z.string(), to_package: z.string(), ...reason }),
    z.object({ type: z.literal('removal'), action: z.literal('remove'), package: z.string(), ...reason }),
    z.object({ type: z.literal('addition'), action: z.literal('add'), package: z.string(), ...reason }),
  ]),
);

const chain = z.array(z.string()).meta({
  description: 'The packages that lead to it, from one that is there for another reason to the one that needs it. Empty: it is named.',
});

const forecastCodes = Object.keys(FORECAST_PROBLEM_CODES) as (keyof typeof FORECAST_PROBLEM_CODES)[];

const PackageProblem = answerSchema(
  'PackageProblem',
  z.object({
    code: z
      .enum(forecastCodes)
      .meta({ description: forecastCodes.map((code) => `\`${code}\`: ${FORECAST_PROBLEM_CODES[code]}`).join('\n\n') }),
    package: z.string().meta({ description: 'The package that cannot be had, or the first of two that exclude each other.' }),
    chain,
    detail: z.string().min(1).meta({ description: 'The problem in plain words.' }),
    suggestion: z.string().optional().meta({ description: 'What can be done about it, in plain words.' }),
    choices: z.array(z.string()).optional().meta({ description: 'Entries for `packages`, of which one may solve the problem.' }),
    other: z.string().optional().meta({ description: 'The package that excludes it.' }),
  }),
);

const InstalledPackage = answerSchema(
  'InstalledPackage',
  z.object({
    name: z.string().meta({ description: 'The name as the package is really called, with its ABI version.' }),
    version: z.string().meta({ description: 'Empty where no index says it.' }),
    size: z.int().meta({ description: 'Bytes of its files on the device; 0 where the index does not say it.' }),
    why: z.enum(['requested', 'default', 'device', 'dependency', 'condition', 'system']).meta({
      description:
        '`requested`: the request names it. `default`, `device`: it is there by default, for the target or the device. `dependency`: another package needs it. `condition`: it comes along whenever certain others are installed. `system`: every image has it.',
    }),
    needed_by: chain.optional(),
  }),
);

const bytes = z.int().optional();

const forecast = {
  verdict: z.enum(['yes', 'no', 'unsure']).meta({
    description:
      'Whether the packages can be installed, as far as the package indexes tell. `yes`: exactly `installed` results. `no`: the build would fail because of `problems`, and the server refuses it. `unsure`: only a build can tell. What no index tells: files that two packages have, the size of the image, scripts, feeds that change later.',
  }),
  verdict_reason: z.string().optional().meta({ description: 'Why only a build can tell, in plain words.' }),
  conflicts: z
    .array(z.object({ packages: z.array(z.string()), chain }))
    .meta({ description: 'Pairs of packages that exclude each other.' }),
  virtual: z
    .array(z.object({ name: z.string(), providers: z.array(z.string()) }))
    .meta({ description: 'Names that several packages provide. The request has to name one of them.' }),
  problems: z.array(PackageProblem).meta({ description: 'All reasons why the packages cannot be installed.' }),
  installed: z
    .array(InstalledPackage)
    .meta({ description: 'The packages of the image, sorted by name. Empty if they cannot be installed.' }),
  download_size: bytes.meta({ description: 'Bytes of the package files together. The image compresses them once more.' }),
  installed_size: bytes.meta({ description: 'Bytes of the installed files together.' }),
  size_limits: z
    .object({ image: bytes, kernel: bytes })
    .optional()
    .meta({ description: 'How many bytes the image and the kernel of the device may have, where upstream says it.' }),
  lost_defaults: z.array(z.object({ package: z.string(), critical: z.boolean() })).meta({
    description: 'Default packages that the image would not have. `critical`: the device may not start, or may not be reachable.',
  }),
  replaced_defaults: z
    .array(z.object({ package: z.string(), by: z.string() }))
    .meta({ description: 'Default packages in whose place the image would have another one.' }),
  ineffective_removals: z
    .array(z.object({ package: z.string(), needed_by: z.array(z.string()) }))
    .meta({ description: 'Packages that the request removes, and that come back because others need them.' }),
  rewritten: z
    .record(z.string(), z.array(z.string()))
    .meta({ description: 'Names that ImageBuilder exchanges, with what it puts in their place.' }),
};

const prepared = {
  status: z.literal('prepared'),
  original_packages: z.array(z.string()),
  original_diff_packages: z.boolean(),
  resolved_packages: z.array(z.string()),
  changes: z.array(PackageChange),
  ...forecast,
  missing: z.array(z.string()).meta({ description: 'Packages that do not exist, named or needed. The server would refuse the build.' }),
  suggestions: z.record(z.string(), z.array(z.string())).optional(),
  outdated: z
    .array(z.object({ name: z.string(), required: z.string(), found: z.string() }))
    .min(1)
    .optional()
    .meta({ description: 'Packages whose required version the feeds do not have. The server would refuse the build.' }),
  ...warnings,
  imagebuilder: z
    .object({
      available: z.boolean(),
      revision: z.string().meta({ description: 'The revision of the target, which the image would have.' }),
      detail: z.string().min(1).optional().meta({ description: 'Why there is none.' }),
      retry_after_seconds: z.int().min(1).optional().meta({ description: 'When to ask again. Absent where waiting does not help.' }),
    })
    .meta({ description: 'Whether upstream has an ImageBuilder for the target. Without one, the server would refuse the build.' }),
  prepared_request: NormalisedRequest,
  request_hash: hash,
  status_url: z.string().regex(/^\/api\/v1\/build\/[0-9a-f]{64}$/),
};

export const ForecastBuild = answerSchema('ForecastBuild', z.object(prepared));

export const PreparedBuild = answerSchema(
  'PreparedBuild',
  z.object({
    ...prepared,
    cache_available: z.boolean().meta({ description: 'Whether the image exists.' }),
    cached_job_id: hash.nullable(),
  }),
);

export const AppliedChanges = answerSchema('AppliedChanges', z.object({ packages: z.array(z.string()), changes: z.array(PackageChange) }));

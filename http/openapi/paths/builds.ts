import type * as z from 'zod';
import { BOOLEAN_WORD } from '#core/request/fields.ts';
import { answer, json, jsonBody, jsonOneOf } from '../answer.ts';
import { shared } from '../errors.ts';
import { CORRELATION_ID, pathParameter, queryParameter } from '../parameter.ts';
import {
  AppliedChanges,
  ApplyRequest,
  BuildRequest,
  FailedBuild,
  FinishedBuild,
  ForecastBuild,
  PreparedBuild,
  QueuedBuild,
  StartedBuild,
} from '../schemas/builds.ts';
import { Problem } from '../schemas/errors.ts';
import { BIN_DIR, HASH, SHA256 } from '../schemas/fields.ts';

const NORMALISED = {
  distro: 'openwrt',
  version: '24.10.2',
  version_code: '',
  target: 'ath79/generic',
  profile: '8dev_carambola2',
  packages: ['luci', 'owut'],
  packages_versions: {},
  diff_packages: false,
  defaults: null,
  rootfs_size_mb: null,
  filesystem: null,
  repositories: {},
  repositories_mode: 'replace' as const,
  repository_keys: [],
  client: 'owut/2026.04',
};
const MOMENT = { enqueued_at: '2026-11-20T21:57:05.088Z', request_hash: HASH };
const IMAGE = 'openwrt-24.10.2-5f1d2c3b4a59-ath79-generic-8dev_carambola2-squashfs-sysupgrade.bin';
const COMMAND = ['make', 'image', 'PROFILE=8dev_carambola2', 'PACKAGES=luci owut', 'EXTRA_IMAGE_NAME=5f1d2c3b4a59'];

const queued: z.input<typeof QueuedBuild> = { status: 202, detail: 'queued', queue_position: 2, ...MOMENT, eta_seconds: 95 };
const started: z.input<typeof StartedBuild> = {
  status: 202,
  detail: 'started',
  imagebuilder_status: 'building_image',
  request: NORMALISED,
  ...MOMENT,
  eta_seconds: 20,
};
const finished: z.input<typeof FinishedBuild> = {
  detail: 'done',
  imagebuilder_status: 'done',
  request: NORMALISED,
  stdout: 'Building images...\n',
  stderr: '',
  build_cmd: COMMAND,
  status: 200,
  version_number: '24.10.2',
  version_code: 'r28739-d9340319c6',
  target: 'ath79/generic',
  manifest: { 'base-files': '1648~d9340319c6', luci: '25.175.34281~b8c3d80', owut: '2025.04.05~9e0d3a4-r1' },
  images: [{ name: IMAGE, type: 'sysupgrade', filesystem: 'squashfs', sha256: SHA256 }],
  titles: [{ vendor: '8devices', model: 'Carambola2' }],
  id: '8dev_carambola2',
  bin_dir: BIN_DIR,
  build_cmd_packages: ['luci', 'owut'],
  build_at: '2025-06-23T20:40:36.000000Z',
  durations_ms: { init: 3, download_imagebuilder: 0, unpack_imagebuilder: 120, calculate_packages_hash: 410, building_image: 8350 },
  inputs: { 'releases/24.10.2/targets/ath79/generic/openwrt-imagebuilder-24.10.2-ath79-generic.Linux-x86_64.tar.zst': SHA256 },
  files: [{ name: IMAGE, size: 7_274_801, sha256: SHA256 }],
  reproduce: '#!/bin/sh\n…',
  ...MOMENT,
};
const failed: z.input<typeof FailedBuild> = {
  status: 500,
  title: 'Build failed',
  detail: 'Error: Selected packages exceed device storage',
  imagebuilder_status: 'failed',
  request: NORMALISED,
  stdout: 'Building images...\n',
  stderr: 'WARNING: Image file openwrt-….bin is too big: 17891328 > 16384000\n',
  build_cmd: COMMAND,
  errors: [
    {
      code: 'image_too_big',
      image: IMAGE,
      size: 17_891_328,
      limit: 16_384_000,
      message: `${IMAGE} has 17891328 bytes, the device takes 16384000`,
      needed_bytes: 17_891_328,
      available_bytes: 16_384_000,
      detail: `${IMAGE} has 17891328 bytes, the device takes 16384000`,
      suggestion: 'Leave out packages: 1507328 bytes are too many.',
    },
    {
      code: 'dependency_missing',
      packages: ['luci-app-x'],
      dependency: 'libbar',
      needed_by: 'libfoo',
      message: 'luci-app-x needs libfoo, which needs libbar, which does not exist',
      package: 'libbar',
      chain: ['luci-app-x', 'libfoo'],
      detail: 'luci-app-x needs libfoo, which needs libbar, which does not exist',
      suggestion: 'Leave out luci-app-x.',
    },
  ],
  ...MOMENT,
};
const cancelled: z.input<typeof FailedBuild> = {
  status: 500,
  title: 'Build cancelled',
  detail: 'Error: build was cancelled',
  imagebuilder_status: 'failed',
  stdout: '',
  stderr: 'Error: build was cancelled',
  ...MOMENT,
};
const bug = { status: 500, title: 'Internal Server Error', detail: 'Internal Server Error: the fault is ours and has been logged' };

const OF_BUILD = ['X-Imagebuilder-Status', 'X-Queue-Position', 'Content-Length'] as const;

const done = json(
  'The image is finished. Equal requests get the same answer.',
  FinishedBuild,
  { finished },
  {
    headers: OF_BUILD,
    links: {
      image: {
        operationId: 'getImage',
        parameters: { bin_dir: '$response.body#/bin_dir', file: '$response.body#/images/0/name' },
        description: 'The image.',
      },
    },
  },
);
const pending = jsonOneOf(
  'The build waits or runs. Ask again after `Retry-After` seconds, with GET or with the same POST.',
  [
    { schema: QueuedBuild, examples: { queued } },
    { schema: StartedBuild, examples: { started } },
  ],
  {
    headers: [...OF_BUILD, 'Retry-After'],
    links: {
      status: {
        operationId: 'getBuild',
        parameters: { request_hash: '$response.body#/request_hash' },
        description: 'The state of the build.',
      },
    },
  },
);
/**
 * The one status with two meanings. `X-Imagebuilder-Status: failed` distinguishes a failed build from a fault of the
 * server.
 */
const failure = jsonOneOf('The build failed or was cancelled (`X-Imagebuilder-Status: failed`), or the server has a fault.', [
  { schema: FailedBuild, examples: { failed, cancelled } },
  { schema: Problem, examples: { bug } },
]);

const requestExamples: Record<string, z.input<typeof BuildRequest>> = {
  small: { version: '24.10.2', target: 'ath79/generic', profile: '8dev_carambola2', packages: ['luci', 'auc'] },
  upgrade: {
    version: '25.12.0',
    version_code: 'r32713-f91a7c30e2',
    from_version: '24.10.2',
    target: 'x86/64',
    profile: 'generic',
    packages: ['luci', 'tcpdump', '-ppp'],
    diff_packages: false,
    filesystem: 'squashfs',
    rootfs_size_mb: 256,
    client: 'owut/2026.04',
  },
  wholeList: {
    version: '24.10.2',
    from_version: '23.05.5',
    target: 'ath79/generic',
    profile: '8dev_carambola2',
    packages: ['base-files', 'dropbear', 'firewall4', 'luci', 'netifd'],
    diff_packages: true,
    honor_defaults: true,
  },
};
const buildBody = jsonBody(BuildRequest, requestExamples);

const changes: z.input<typeof AppliedChanges>['changes'] = [
  {
    type: 'migration',
    action: 'replace',
    from_package: 'auc',
    to_package: 'owut',
    reason: 'Since 24.10 owut has replaced auc, which no longer exists.',
    automatic: true,
  },
];
const forecast: z.input<typeof ForecastBuild> = {
  status: 'prepared',
  original_packages: ['luci', 'auc'],
  original_diff_packages: false,
  resolved_packages: ['luci', 'owut'],
  changes,
  verdict: 'yes',
  missing: [],
  conflicts: [],
  virtual: [],
  problems: [],
  installed: [
    { name: 'luci', version: '25.150.00001', size: 1024, why: 'requested' },
    { name: 'owut', version: '2024.07.01-r1', size: 40960, why: 'requested' },
    { name: 'rpcd', version: '2025.02.01-r1', size: 81920, why: 'dependency', needed_by: ['luci', 'luci-base'] },
  ],
  download_size: 61440,
  installed_size: 123904,
  lost_defaults: [],
  replaced_defaults: [],
  ineffective_removals: [],
  rewritten: {},
  imagebuilder: { available: true, revision: 'r28739-d9340319c6' },
  prepared_request: { ...NORMALISED, client: null },
  request_hash: HASH,
  status_url: `/api/v1/build/${HASH}`,
};

const requestErrors = { 400: 'BadRequest', 413: 'ContentTooLarge', 422: 'Unprocessable', 503: 'Unavailable' } as const;
const hash = pathParameter('request_hash', 'The `request_hash` of an earlier answer.', HASH, { pattern: '^[0-9a-f]{64}$' });

const SKIP_RESOLUTION = queryParameter('skip_package_resolution', 'Take `packages` as they are, without package changes.', {
  anyOf: [{ type: 'boolean' }, { type: 'string', pattern: BOOLEAN_WORD }],
  default: false,
});

const WITHOUT_FORECAST = queryParameter(
  'without_forecast',
  'Resolve the packages alone. The verdict is `unsure`. A build service asks so, since it forecasts for itself.',
  { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: BOOLEAN_WORD }], default: false },
);

/** The paths of builds: requests, and the state of a build. */
export const buildPaths = {
  '/api/v1/build': {
    post: {
      operationId: 'requestBuild',
      tags: ['build'],
      summary: 'Ask for an image',
      description:
        'Validates the request, brings its packages up to the version, and answers at once. Equal requests share one build, so a client may post as often as it likes. The server ignores unknown fields.',
      parameters: [SKIP_RESOLUTION, CORRELATION_ID],
      requestBody: buildBody,
      responses: {
        200: done,
        202: pending,
        500: failure,
        ...omit500(shared({ ...requestErrors, 422: 'UnprocessableBuild', 429: 'TooManyRequests' })),
      },
    },
  },
  '/api/v1/build/prepare': {
    post: {
      operationId: 'prepareBuild',
      tags: ['build'],
      summary: 'See what the server would build, and why',
      description:
        'The first step of a build in two steps. It builds nothing. The client can post `prepared_request` to `/api/v1/build` unchanged, with `skip_package_resolution` or without, for the same build.',
      parameters: [SKIP_RESOLUTION],
      requestBody: buildBody,
      responses: {
        200: json(
          'The build that the server would make.',
          PreparedBuild,
          { prepared: { ...forecast, cache_available: false, cached_job_id: null } },
          {
            links: {
              build: { operationId: 'requestBuild', requestBody: '$response.body#/prepared_request', description: 'The second step.' },
            },
          },
        ),
        ...shared(requestErrors),
      },
    },
  },
  '/api/v1/build/{request_hash}': {
    parameters: [hash],
    get: {
      operationId: 'getBuild',
      tags: ['build'],
      summary: 'The state of a build',
      responses: { 200: done, 202: pending, 500: failure, ...omit500(shared({ 404: 'BuildNotFound', 503: 'Unavailable' })) },
    },
    head: {
      operationId: 'headBuild',
      tags: ['build'],
      summary: 'The same without the body',
      description: 'Status and headers are those of GET.',
      responses: Object.fromEntries(
        Object.entries({
          200: 'The build is done.',
          202: 'The build waits or runs.',
          404: 'No build has this hash.',
          500: 'The build failed.',
          503: 'Unavailable.',
        }).map(([status, text]) => [
          status,
          answer(text, { headers: status === '202' ? [...OF_BUILD, 'Retry-After'] : status === '200' ? OF_BUILD : ['Content-Length'] }),
        ]),
      ),
    },
  },
  '/api/v1/prepare': {
    post: {
      operationId: 'forecastBuild',
      tags: ['build'],
      summary: 'The prepare service alone',
      description: 'Does the same as `/api/v1/build/prepare`, but does not know which images exist.',
      parameters: [SKIP_RESOLUTION, WITHOUT_FORECAST],
      requestBody: buildBody,
      responses: { 200: json('The build that the server would make.', ForecastBuild, { forecast: forecast }), ...shared(requestErrors) },
    },
  },
  '/apply': {
    post: {
      operationId: 'applyPackageChanges',
      tags: ['build'],
      summary: 'Package changes alone',
      description: 'Applies the rules without asking upstream whether version, target, profile or packages exist.',
      requestBody: jsonBody(ApplyRequest, {
        upgrade: {
          version: '24.10.2',
          target: 'ath79/generic',
          profile: '8dev_carambola2',
          packages: ['luci', 'auc'],
          default_packages: ['dnsmasq'],
          diff_packages: false,
        },
      }),
      responses: {
        200: json('The package list, brought up to the version.', AppliedChanges, {
          applied: { packages: ['luci', 'owut'], changes },
        }),
        ...shared({ 413: 'ContentTooLarge', 422: 'Unprocessable' }),
      },
    },
  },
};

function omit500({ 500: _, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

import { type Answer, answer, json } from './answer.ts';
import { InvalidRequest, Problem } from './schemas/errors.ts';

const NOT_YET = {
  code: 'version_not_mirrored' as const,
  version: '24.10.3',
  detail: 'Unsupported version: 24.10.3. It has been announced, but the download server does not have it yet. Please ask again in an hour.',
  retry_after_seconds: 3600,
};

/** Answers that many operations share, under `components.responses`. */
export const SHARED: Readonly<Record<string, Answer>> = {
  BadRequest: json(
    'The request is well-formed, but this server does not support or allow it, or upstream has another revision now.',
    Problem,
    {
      profile: {
        status: 400,
        title: 'Bad Request',
        detail:
          'Unsupported profile: foobar. The requested profile was either dropped or never existed. Please check the forums for more information.',
      },
      revision: {
        status: 400,
        title: 'Bad Request',
        detail: 'Error: Received incorrect version r28739-d9340319c6 (requested r28000-0000000000)',
      },
      announced: {
        status: 400,
        title: 'Bad Request',
        detail: NOT_YET.detail,
        errors: [NOT_YET],
      },
    },
    { headers: ['Optional-Retry-After'] },
  ),
  NotFound: json('Nothing has this path.', Problem, {
    path: { status: 404, title: 'Not Found', detail: 'Not Found: there is nothing at /api/v1/nothing' },
  }),
  BuildNotFound: json('No build has this hash. It never existed, or it has expired.', Problem, {
    unknown: { status: 404, title: 'Not Found', detail: 'could not find provided request hash' },
  }),
  MethodNotAllowed: json(
    'The path has other methods.',
    Problem,
    { build: { status: 405, title: 'Method Not Allowed', detail: 'Method Not Allowed: GET /api/v1/build; allowed: POST' } },
    { headers: ['Allow'] },
  ),
  ContentTooLarge: json('The body is larger than any valid request.', Problem, {
    body: { status: 413, title: 'Content Too Large', detail: 'Content Too Large: a request body may have at most 262144 bytes' },
  }),
  Unprocessable: json('The request does not match the schema.', InvalidRequest, {
    field: {
      status: 422,
      title: 'Unprocessable Content',
      detail: 'packages: Input should be a valid list',
      errors: [{ type: 'list_type', loc: ['body', 'packages'], msg: 'Input should be a valid list', input: 'vim' }],
    },
  }),
  UnprocessableBuild: json(
    'The request does not match the schema, or asks for packages that do not exist.',
    InvalidRequest,
    {
      field: {
        status: 422,
        title: 'Unprocessable Content',
        detail: 'version: Field required; rootfs_size_mb: Input should be less than or equal to 1024',
        errors: [
          { type: 'missing', loc: ['body', 'version'], msg: 'Field required', input: { target: 'x86/64', profile: 'generic' } },
          {
            type: 'less_than_equal',
            loc: ['body', 'rootfs_size_mb'],
            msg: 'Input should be less than or equal to 1024',
            input: 4096,
            ctx: { le: 1024 },
          },
        ],
      },
      packages: {
        status: 422,
        title: 'Unprocessable Content',
        detail: 'Error: Impossible package selection: missing (vimm)',
        errors: [{ code: 'package_missing', packages: ['vimm'], suggestion: { vimm: ['vim'] } }],
        stderr: 'Error: Impossible package selection: missing (vimm)',
      },
      versions: {
        status: 422,
        title: 'Unprocessable Content',
        detail: 'Error: Impossible package selection: vim version not as requested: 9.0-r1 vs. 9.1-r1',
        errors: [
          {
            code: 'version_mismatch',
            packages: ['vim'],
            required: '9.0-r1',
            found: '9.1-r1',
            message: 'vim version not as requested: 9.0-r1 vs. 9.1-r1',
          },
        ],
        stderr: 'Error: Impossible package selection: vim version not as requested: 9.0-r1 vs. 9.1-r1',
      },
    },
    { headers: ['X-Unknown-Package'] },
  ),
  TooManyRequests: json(
    'Too many builds wait, or this client has too many unfinished builds.',
    Problem,
    {
      queue: {
        status: 429,
        title: 'Server overloaded',
        detail: 'server overload, queue contains too many build requests: 1001',
      },
      share: {
        status: 429,
        title: 'Too Many Requests',
        detail: 'Too Many Requests: 100 builds from your address are under way while other clients wait; try again in 60 s',
      },
    },
    { headers: ['Retry-After'] },
  ),
  ServerError: json('The server has a fault.', Problem, {
    bug: {
      status: 500,
      title: 'Internal Server Error',
      detail: 'Internal Server Error: the fault is ours and has been logged',
    },
  }),
  Unavailable: json(
    'The server cannot reach something that it needs for the answer.',
    Problem,
    {
      upstream: {
        status: 503,
        title: 'Service Unavailable',
        detail: 'Error: targets/ath79/generic is not available right now: connection refused',
      },
    },
    { headers: ['Retry-After'] },
  ),
  Preflight: answer('Any origin may ask. The headers say what scripts may send.', {
    headers: ['Access-Control-Allow-Methods', 'Access-Control-Allow-Headers', 'Access-Control-Max-Age'],
  }),
};

/** `{"404": {"$ref": …}, …}`. 500 may happen everywhere. */
export const shared = (names: Readonly<Record<number, keyof typeof SHARED>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ ...names, ...(names[500] === undefined && { 500: 'ServerError' }) }).map(([status, name]) => [
      status,
      { $ref: `#/components/responses/${name}` },
    ]),
  );

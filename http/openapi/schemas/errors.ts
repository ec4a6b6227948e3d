import * as z from 'zod';
import { answerSchema } from '../component.ts';

/** A complaint about one field, as `FieldError` (core/request/invalid-request.ts). */
const FieldError = answerSchema(
  'FieldError',
  z.object({
    type: z.string().meta({ description: 'The kind of error, in the words of pydantic.', examples: ['string_pattern_mismatch'] }),
    loc: z.array(z.union([z.string(), z.int()])).meta({ description: 'The place: `body` or `query`, then field, index or key.' }),
    msg: z.string(),
    input: z.unknown().optional().meta({ description: 'The value that the client sent; absent if it is long or private.' }),
    ctx: z.record(z.string(), z.unknown()).optional(),
  }),
);

const UnknownPackages = answerSchema(
  'UnknownPackages',
  z.object({
    code: z.literal('package_missing'),
    packages: z.array(z.string()).min(1),
    suggestion: z.record(z.string(), z.array(z.string())).meta({ description: 'Similar names, by package.' }),
  }),
);

const OutdatedVersion = answerSchema(
  'OutdatedVersion',
  z.object({
    code: z.literal('version_mismatch'),
    packages: z.array(z.string()).length(1),
    required: z.string().meta({ description: 'The version in `packages_versions`.' }),
    found: z.string().meta({ description: 'The version in the feeds.' }),
    message: z.string(),
  }),
);

const shape = {
  status: z.int().min(400).max(599).meta({ description: 'The same number as the HTTP status.' }),
  title: z.string(),
  detail: z.string().min(1).meta({ description: 'What is wrong, in words for people.' }),
};

const NotYetMirrored = answerSchema(
  'NotYetMirrored',
  z.object({
    code: z.enum(['version_not_mirrored', 'target_not_mirrored', 'imagebuilder_not_published']).meta({
      description:
        '`version_not_mirrored`: the version is announced, and upstream does not have it yet.\n\n`target_not_mirrored`: upstream lists the target and has no files of it.\n\n`imagebuilder_not_published`: upstream has the target, and no ImageBuilder for it.',
    }),
    version: z.string(),
    target: z.string().optional(),
    detail: z.string().min(1),
    retry_after_seconds: z.int().min(1).meta({ description: 'When to ask again; the same as `Retry-After`.' }),
  }),
);

/** The body of errors besides those of the schema. */
export const Problem = answerSchema(
  'Problem',
  z
    .object({
      ...shape,
      errors: z.array(NotYetMirrored).min(1).optional().meta({ description: 'Only where what the client asks for may be there later.' }),
    })
    .meta({ description: 'The one shape of every error.' }),
);

/** 422: every complaint at once. */
export const InvalidRequest = answerSchema(
  'InvalidRequest',
  z
    .object({
      ...shape,
      status: z.literal(422),
      errors: z.array(z.union([FieldError, UnknownPackages, OutdatedVersion])).min(1),
      stderr: z.string().optional().meta({ description: 'The text for clients that show the output of the ImageBuilder.' }),
    })
    .meta({ description: 'The request does not match the schema, or asks for packages or versions that do not exist.' }),
);

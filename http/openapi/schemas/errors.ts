import * as z from 'zod';
import { answerSchema } from '../component.ts';

/** A complaint about one field, as `FieldError` (core/request/invalid-request.ts). */
const FieldError = answerSchema(
  'FieldError',
  z.object({
    type: z.string().meta({ description: 'Kind of error, in the words of pydantic.', examples: ['string_pattern_mismatch'] }),
    loc: z.array(z.union([z.string(), z.int()])).meta({ description: 'Where: `body` or `query`, then field, index or key.' }),
    msg: z.string(),
    input: z.unknown().optional().meta({ description: 'What was sent; left out when long or private.' }),
    ctx: z.record(z.string(), z.unknown()).optional(),
  }),
);

const UnknownPackages = answerSchema(
  'UnknownPackages',
  z.object({
    code: z.literal('package_missing'),
    packages: z.array(z.string()).min(1),
    suggestion: z.record(z.string(), z.array(z.string())).meta({ description: 'Names that come close, by package.' }),
  }),
);

const shape = {
  status: z.int().min(400).max(599).meta({ description: 'The HTTP status once more.' }),
  title: z.string(),
  detail: z.string().min(1).meta({ description: 'What is wrong, for people.' }),
};

/** Every error that has no more to say than its text. */
export const Problem = answerSchema('Problem', z.object(shape).meta({ description: 'The one shape of every error.' }));

/** 422: every complaint at once. */
export const InvalidRequest = answerSchema(
  'InvalidRequest',
  z
    .object({
      ...shape,
      status: z.literal(422),
      errors: z.array(z.union([FieldError, UnknownPackages])).min(1),
      stderr: z.string().optional().meta({ description: 'For clients that look for output of the ImageBuilder.' }),
    })
    .meta({ description: 'The request does not have the shape it must have, or asks for packages that do not exist.' }),
);

import { answer, json } from '../answer.ts';
import { shared } from '../errors.ts';
import { headerParameter, pathParameter } from '../parameter.ts';
import { Problem } from '../schemas/errors.ts';
import { BIN_DIR } from '../schemas/fields.ts';

const BYTES = { 'application/octet-stream': {} };

const parameters = [
  pathParameter('bin_dir', '`bin_dir` of a finished build, or its request hash.', BIN_DIR, { pattern: '^[0-9a-f]{64}$' }),
  pathParameter('file', '`name` of one of its images.', 'openwrt-24.10.2-ath79-generic-8dev_carambola2-squashfs-sysupgrade.bin', {
    pattern: '^[A-Za-z0-9._+-]+$',
  }),
  headerParameter('Range', 'One range of bytes.', 'bytes=0-1023'),
  headerParameter('If-None-Match', 'The ETags that the client has.', '"5f1d2c3b"'),
];

/** Finished images. */
export const storePaths = {
  '/store/{bin_dir}/{file}': {
    parameters,
    get: {
      operationId: 'getImage',
      tags: ['images'],
      summary: 'Download an image',
      description: 'The answer is never compressed, and the file never changes.',
      responses: {
        200: answer('The whole file.', { headers: ['Content-Length', 'ETag'] }, BYTES),
        206: answer('The requested range.', { headers: ['Content-Length', 'ETag', 'Content-Range'] }, BYTES),
        302: answer('The path names the build by its request hash; the image is at `Location`.', { headers: ['Location'] }),
        304: answer('As it is known.', { headers: ['ETag'] }),
        416: json(
          'The file is shorter.',
          Problem,
          { range: { status: 416, title: 'Range Not Satisfiable', detail: 'Range Not Satisfiable: the file has 7274801 bytes' } },
          { headers: ['Content-Range'] },
        ),
        ...shared({ 404: 'NotFound', 503: 'Unavailable' }),
      },
    },
    head: {
      operationId: 'headImage',
      tags: ['images'],
      summary: 'Size and date of an image',
      responses: Object.fromEntries(
        Object.entries({
          200: 'It is there.',
          206: 'The range.',
          302: 'It is at `Location`.',
          304: 'As it is known.',
          404: 'There is none.',
          416: 'It is shorter.',
          500: 'The server has a fault.',
          503: 'Unavailable.',
        }).map(([status, text]) => [status, answer(text)]),
      ),
    },
  },
  '/signing-key.pub': {
    get: {
      operationId: 'getSigningKey',
      tags: ['images'],
      summary: 'The public key for the signatures of images',
      responses: {
        200: answer(
          'usign public key.',
          {},
          {
            'text/plain': {
              schema: { type: 'string' },
              examples: { key: { value: 'untrusted comment: Local build key\nRWSrHfFm…\n' } },
            },
          },
        ),
        ...shared({ 404: 'NotFound' }),
      },
    },
  },
};

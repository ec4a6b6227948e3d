import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from './document.ts';
import { committedDocument, documentText } from './document-text.ts';

const document = openApiDocument({ version: '1.2.3', license: 'Apache-2.0' });
const METHODS = ['get', 'head', 'post', 'delete', 'put', 'patch'];

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  responses: Record<string, { $ref?: string; headers?: object }>;
}

const operations = Object.entries(document.paths as Record<string, Record<string, unknown>>).flatMap(([path, item]) =>
  METHODS.filter((method) => method in item).map((method) => ({ path, method, operation: item[method] as Operation })),
);

/** Returns every `$ref` below a value. */
const references = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [inner as string] : references(inner)));

const at = (pointer: string): unknown =>
  pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], document);

describe('OpenAPI document', () => {
  it('is current as committed (npm run openapi makes it)', async () => {
    expect(await readFile(committedDocument, 'utf8')).toBe(documentText());
  });

  it('refers only to components that it has', () => {
    const missing = references(document).filter((pointer) => !pointer.startsWith('#/components/') || at(pointer) === undefined);
    expect(missing).toEqual([]);
  });

  it('has no schema that nothing refers to', () => {
    const used = new Set(references(document));
    const unused = Object.keys(document.components.schemas).filter((name) => !used.has(`#/components/schemas/${name}`));
    expect(unused).toEqual([]);
  });

  it('names every operation once, with tag and summary', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations) {
      expect(operation.summary).not.toBe('');
      expect(tags).toEqual(expect.arrayContaining(operation.tags));
    }
  });

  it.each(operations)('$method $path describes a fault, and CORS on every answer', ({ operation }) => {
    expect(operation.responses).toHaveProperty('500');
    for (const response of Object.values(operation.responses)) {
      const { headers } = (response.$ref === undefined ? response : at(response.$ref)) as { headers: object };
      expect(headers).toHaveProperty('Access-Control-Allow-Origin');
      expect(headers).toHaveProperty('X-Correlation-Id');
    }
  });

  it('publishes patterns and limits of the request as they are checked', () => {
    const { properties, required } = document.components.schemas['BuildRequest'] as {
      properties: Record<string, Record<string, unknown>>;
      required: string[];
    };
    expect(required).toEqual(['version', 'target', 'profile']);
    expect(properties['target']).toMatchObject({ type: 'string', pattern: expect.stringContaining('/') });
    expect(properties['packages']).toMatchObject({ maxItems: 1000, items: { pattern: expect.any(String) } });
    expect(properties['diff_packages']?.['anyOf']).toContainEqual({ type: 'integer', enum: [0, 1] });
  });
});

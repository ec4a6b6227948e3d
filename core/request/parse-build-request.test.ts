import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from './invalid-request.ts';
import { buildRequestParser } from './parse-build-request.ts';

const parse = buildRequestParser();
const base = { version: '24.10.2', target: 'ath79/generic', profile: '8dev_carambola2' };

const complaints = (body: unknown) => {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.errors;
    throw error;
  }
  return [];
};

describe('a build request', () => {
  it('has the defaults of the reference server', () => {
    expect(parse(base)).toEqual({
      ...base,
      distro: 'openwrt',
      version_code: '',
      packages: [],
      packages_versions: {},
      diff_packages: false,
      defaults: null,
      rootfs_size_mb: null,
      filesystem: null,
      repositories: {},
      repositories_mode: 'replace',
      repository_keys: [],
      client: null,
    });
  });

  it('drops unknown fields', () => {
    expect(parse({ ...base, colour: 'green' })).not.toHaveProperty('colour');
  });

  it.each([
    ['rootfs_size_mb', 100.0, 100],
    ['rootfs_size_mb', '100', 100],
    ['rootfs_size_mb', true, 1],
    ['diff_packages', 'yes', true],
    ['diff_packages', 0, false],
    ['diff_packages', 'OFF', false],
    ['honor_defaults', true, true],
    ['honor_defaults', 'no', false],
    ['defaults', '', ''],
    ['defaults', '😀'.repeat(20_480), '😀'.repeat(20_480)],
    ['packages', ['libstdc++', '+vim', '-ppp', ''], ['libstdc++', '+vim', '-ppp', '']],
    ['packages_versions', { vim: '' }, { vim: '' }],
    ['profile', '8dev,carambola2', '8dev,carambola2'],
  ])('takes %s %j', (field, given, taken) => {
    expect(parse({ ...base, [field]: given })).toMatchObject({ [field]: taken });
  });

  it.each([
    [null, 'model_attributes_type', ['body'], 'Input should be a valid dictionary or object to extract fields from'],
    [[], 'model_attributes_type', ['body'], 'Input should be a valid dictionary or object to extract fields from'],
    ['text', 'model_attributes_type', ['body'], 'Input should be a valid dictionary or object to extract fields from'],
    [{ ...base, version: 1 }, 'string_type', ['body', 'version'], 'Input should be a valid string'],
    [{ ...base, packages: 'vim' }, 'list_type', ['body', 'packages'], 'Input should be a valid list'],
    [{ ...base, packages: null }, 'list_type', ['body', 'packages'], 'Input should be a valid list'],
    [{ ...base, packages: [1] }, 'string_type', ['body', 'packages', 0], 'Input should be a valid string'],
    [{ ...base, repositories: [] }, 'dict_type', ['body', 'repositories'], 'Input should be a valid dictionary'],
    [{ ...base, rootfs_size_mb: 0 }, 'greater_than_equal', ['body', 'rootfs_size_mb'], 'Input should be greater than or equal to 1'],
    [{ ...base, rootfs_size_mb: 1025 }, 'less_than_equal', ['body', 'rootfs_size_mb'], 'Input should be less than or equal to 1024'],
    [
      { ...base, rootfs_size_mb: 'big' },
      'int_parsing',
      ['body', 'rootfs_size_mb'],
      'Input should be a valid integer, unable to parse string as an integer',
    ],
    [
      { ...base, rootfs_size_mb: 1.5 },
      'int_from_float',
      ['body', 'rootfs_size_mb'],
      'Input should be a valid integer, got a number with a fractional part',
    ],
    [
      { ...base, diff_packages: 'maybe' },
      'bool_parsing',
      ['body', 'diff_packages'],
      'Input should be a valid boolean, unable to interpret input',
    ],
    [{ ...base, repositories_mode: 'x' }, 'literal_error', ['body', 'repositories_mode'], "Input should be 'append' or 'replace'"],
    [{ ...base, defaults: '#'.repeat(20_481) }, 'string_too_long', ['body', 'defaults'], 'String should have at most 20480 characters'],
    [{ ...base, repositories: { a: 'ftp://x/y' } }, 'string_pattern_mismatch', ['body', 'repositories', 'a'], undefined],
    [{ ...base, repositories: { 'a b': 'https://x/y' } }, 'string_pattern_mismatch', ['body', 'repositories', 'a b', '[key]'], undefined],
    [{ ...base, repositories: { '.': 'https://x/y' } }, 'string_pattern_mismatch', ['body', 'repositories', '.', '[key]'], undefined],
    [{ ...base, repositories: { '..': 'https://x/y' } }, 'string_pattern_mismatch', ['body', 'repositories', '..', '[key]'], undefined],
    [{ ...base, packages_versions: { vim: '$1' } }, 'string_pattern_mismatch', ['body', 'packages_versions', 'vim'], undefined],
    [{ ...base, packages: Array(1001).fill('vim') }, 'too_long', ['body', 'packages'], undefined],
    [{ ...base, repository_keys: Array(17).fill('k') }, 'too_long', ['body', 'repository_keys'], undefined],
    [{ ...base, repository_keys: ['k'.repeat(4097)] }, 'string_too_long', ['body', 'repository_keys', 0], undefined],
    [{ ...base, client: 'a\0' }, 'string_nul', ['body', 'client'], undefined],
  ])('refuses %j', (body, type, loc, msg) => {
    const errors = complaints(body);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ type, loc, ...(msg !== undefined && { msg }) });
  });

  it.each(['version', 'target', 'profile'])('reports that %s is missing and shows what was sent', (field) => {
    const { [field as keyof typeof base]: _, ...rest } = base;
    expect(complaints(rest)).toEqual([{ type: 'missing', loc: ['body', field], msg: 'Field required', input: rest }]);
  });

  it('lists all complaints in field order', () => {
    expect(complaints({ packages: 'y', target: 'x', version: 1 }).map(({ type }) => type)).toEqual([
      'string_type',
      'string_pattern_mismatch',
      'missing',
      'list_type',
    ]);
  });

  const metacharacters = [
    'a\n',
    'a\0',
    'a b',
    '$(shell id)',
    '`id`',
    'a";id;"',
    "a';id;'",
    'a|b',
    'a&b',
    'a>b',
    'a#b',
    'a=b',
    'a\\',
    'a%b',
    'a\u2028b',
  ];
  const fields = ['distro', 'version', 'version_code', 'target', 'profile', 'filesystem', 'repositories_mode', 'from_version'];
  it.each(fields.flatMap((field) => metacharacters.map((text) => [field, text])))('refuses %s %j', (field, text) => {
    const value = field === 'target' ? `ath79/${text}` : text;
    expect(complaints({ ...base, [field as string]: value })[0]?.loc.slice(0, 2)).toEqual(['body', field]);
  });
  it.each(metacharacters)('refuses %j in lists and maps', (text) => {
    expect(complaints({ ...base, packages: [text] })).toHaveLength(1);
    expect(complaints({ ...base, packages_versions: { [text]: '1' } })).toHaveLength(1);
    expect(complaints({ ...base, packages_versions: { vim: text } })).toHaveLength(1);
    expect(complaints({ ...base, repositories: { [text]: 'https://example.org/x' } })).toHaveLength(1);
  });
  it.each(['a', '-', '_', '.a', '..a', 'a.', 'a..b', 'openwrt_base', '1'])('accepts the repository name %j', (name) => {
    expect(complaints({ ...base, repositories: { [name]: 'https://example.org/x' } })).toEqual([]);
  });
  it.each([
    'https://u:p@h/x',
    'https://h/x#y',
    'https://h/$x',
    'https://h/`x`',
    'https://h/"x"',
    "https://h/'x'",
    'https://h\\x',
    'https://h/a b',
    'https://',
    'https://h/\u0001',
  ])('refuses the repository URL %j', (url) => {
    expect(complaints({ ...base, repositories: { a: url } })).toHaveLength(1);
  });

  it('does not send back long or private values', () => {
    const secret = 'S'.repeat(20_481);
    expect(JSON.stringify(complaints({ ...base, defaults: secret, version: 1 }))).not.toContain('SSS');
    const { version: _, ...withoutVersion } = base;
    expect(JSON.stringify(complaints({ ...withoutVersion, defaults: 'password' }))).not.toContain('password');
    expect(complaints({ ...base, packages: ['ü'.repeat(300)] })[0]).not.toHaveProperty('input');
  });
});

describe('a body that is meant to keep the process busy', () => {
  const FIELDS = [
    'distro',
    'version',
    'target',
    'profile',
    'packages',
    'packages_versions',
    'diff_packages',
    'defaults',
    'rootfs_size_mb',
    'filesystem',
    'repositories',
    'repositories_mode',
    'repository_keys',
    'client',
    'from_version',
    'honor_defaults',
  ];
  const refusalOf = (body: unknown): InvalidRequestError => {
    try {
      buildRequestParser()(body);
    } catch (error) {
      if (error instanceof InvalidRequestError) return error;
      throw error;
    }
    throw new Error('it was taken');
  };

  it.each(FIELDS)('is refused with a short answer when %s is nested a hundred thousand deep', (field) => {
    for (const inner of ['', '{"a":']) {
      const deep = `${inner}${'['.repeat(100_000)}${']'.repeat(100_000)}${inner && '}'}`;
      const { errors } = refusalOf(JSON.parse(`{"version":"24.10.2","target":"x86/64","profile":"generic","${field}":${deep}}`));
      expect(errors.some(({ loc }) => loc[1] === field)).toBe(true);
      expect(JSON.stringify(errors).length).toBeLessThan(10_000);
    }
  });

  it('is accepted when the nested field is one that the server does not read', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const request = buildRequestParser()(JSON.parse(`{"version":"24.10.2","target":"x86/64","profile":"generic","unknown":${deep}}`));
    expect(Object.keys(request)).not.toContain('unknown');
  });

  it.each([
    ['packages', 'List', 1_000, Array.from({ length: 100_000 }, () => 7)],
    ['packages_versions', 'Dictionary', 1_000, Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`!${index}`, 7]))],
    ['repositories', 'Dictionary', 64, Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`!${index}`, 7]))],
    ['repository_keys', 'List', 16, Array.from({ length: 100_000 }, () => 7)],
  ])('has one complaint when %s has far too many items, all of them bad', (field, kind, max, value) => {
    const { errors } = refusalOf({ version: '24.10.2', target: 'x86/64', profile: 'generic', [field]: value });
    expect(errors).toEqual([
      {
        type: 'too_long',
        loc: ['body', field],
        msg: `${kind} should have at most ${max} items after validation, not ${Object.keys(value).length}`,
        ctx: { field_type: kind, max_length: max, actual_length: Object.keys(value).length },
      },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { findProfile } from './find-profile.ts';

const profiles = (devices: Record<string, string[]>) =>
  Object.fromEntries(
    Object.entries(devices).map(([id, supportedDevices]) => [id, { packages: [], hasImageMetadata: true, supportedDevices }]),
  );
const layerscape = profiles({
  traverse_ten64_mtd: ['traverse,ten64', 'traverse_ten64'],
  'box-nand': ['demo,box-nand', 'demo,box-nor'],
  'box-nor': ['demo,box-nor', 'demo,box-nand', 'box'],
  twin_a: ['demo,twin'],
  twin_b: ['demo,twin'],
});

describe('the id that an ImageBuilder has for a profile of upstream', () => {
  it.each([
    ['the same id, whatever it supports', 'box-nand', [], 'box-nand'],
    ['another id for the same devices', 'ten64-mtd', ['traverse_ten64', 'traverse,ten64'], 'traverse_ten64_mtd'],
    ['no id for a device that only some of its names mean', 'ten64-mtd', ['traverse,ten64'], undefined],
    ['no id for a device of which it has two', 'twin', ['demo,twin'], undefined],
    ['no id for a device without names', 'ten64-mtd', [], undefined],
    ['no id for what is no profile', 'constructor', ['x'], undefined],
  ])('is %s', (_, id, devices, found) => {
    expect(findProfile(layerscape, id, devices)).toBe(found);
  });
});

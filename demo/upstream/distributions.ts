import { type DemoKey, demoOtherKey, demoUpstreamKey } from './key.ts';

/** A distribution of the demo: how its ImageBuilders are named, where they look for packages, and who signs its files. */
export interface DemoDistribution {
  readonly name: string;
  /** The server that its ImageBuilders name in their repositories. */
  readonly official: string;
  readonly key: DemoKey;
}

export const OPENWRT: DemoDistribution = { name: 'openwrt', official: 'https://downloads.openwrt.org', key: demoUpstreamKey };

/** Another distribution, which the demo upstream serves below `/otherwrt/`. Its server exists nowhere. */
export const OTHERWRT: DemoDistribution = { name: 'otherwrt', official: 'https://downloads.otherwrt.example', key: demoOtherKey };

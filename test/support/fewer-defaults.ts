import { createHash } from 'node:crypto';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Takes packages off the defaults of a target, as if upstream had not had them yet: `releases/23.05.5/targets/x86/64`. */
export async function fewerDefaults(upstream: DemoUpstreamServer, directory: string, names: readonly string[]): Promise<void> {
  const read = async (file: string) => (await fetch(`${upstream.url}/${directory}/${file}`)).text();
  const [text, sums] = await Promise.all([read('profiles.json'), read('sha256sums')]);
  const document = JSON.parse(text) as { default_packages: string[]; profiles: Record<string, { device_packages: string[] }> };
  const without = (packages: readonly string[]) => packages.filter((name) => !names.includes(name));
  document.default_packages = without(document.default_packages);
  for (const profile of Object.values(document.profiles)) profile.device_packages = without(profile.device_packages);
  const changed = JSON.stringify(document);
  upstream.overlay(`${directory}/profiles.json`, changed);
  upstream.overlay(`${directory}/sha256sums`, sums.replace(sha256(text), sha256(changed)));
}

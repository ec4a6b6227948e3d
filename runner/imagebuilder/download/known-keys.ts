import upstream from '#runner/signing/upstream-keys.json' with { type: 'json' };
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';

/** OpenWrt's published usign keys. */
export const knownUpstreamKeys: readonly UsignPublicKey[] = upstream.usign.flatMap(({ key }) => parseUsignPublicKey(key) ?? []);

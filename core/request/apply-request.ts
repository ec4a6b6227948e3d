import * as z from 'zod';
import { MAX_PACKAGES, PACKAGE_NAME } from './build-request.ts';
import { word } from './fields.ts';

const packageNames = () =>
  z
    .array(word(PACKAGE_NAME))
    .max(MAX_PACKAGES)
    .default(() => []);

export const MAX_APPLY_ITEMS = { packages: MAX_PACKAGES, default_packages: MAX_PACKAGES } as const;

/** The body of `POST /apply`, which applies the rules of package changes without catalogue or validation. */
export const ApplyRequest = z
  .object({
    version: word(/^[A-Za-z0-9_.,-]*$/).meta({ description: 'Version whose rules apply.', examples: ['24.10.2'] }),
    target: word(/^[A-Za-z0-9_]*\/[A-Za-z0-9_]*$/).meta({ description: 'Target and subtarget.', examples: ['ath79/generic'] }),
    profile: word(/^[A-Za-z0-9._,-]*$/).meta({ description: 'Profile.', examples: ['8dev_carambola2'] }),
    packages: packageNames().meta({ description: 'Packages as the client has them.', examples: [['auc', 'luci-i18n-opkg-de']] }),
    default_packages: packageNames().meta({
      description: 'Packages the image has anyway; used with `diff_packages`.',
      examples: [['dnsmasq']],
    }),
    diff_packages: z
      .boolean()
      .default(false)
      .meta({ description: '`packages` is the whole list: the answer begins with removals of defaults that it lacks.' }),
  })
  .meta({ id: 'ApplyRequest' });

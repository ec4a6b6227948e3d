import { publicOfUsignSecret } from '#runner/signing/usign.ts';

/**
 * The keys that images are signed with: `sst secret set SigningSecret "$(cat key-build)"`. Without them each runner makes keys of
 * its own. The runner's execution role hands them to the container: the task's own role cannot read them.
 */
const signingSecret = new sst.Secret('SigningSecret', 'none');
const apkSigningSecret = new sst.Secret('ApkSigningSecret', 'none');

const parameter = (name: string, value: $util.Input<string>) =>
  new aws.ssm.Parameter(name, { name: `/sst/${$app.name}/${$app.stage}/${name}`, type: 'SecureString', value });

export const signingParameters = {
  SIGNING_SECRET: parameter('SigningSecretParameter', signingSecret.value).arn,
  APK_SIGNING_SECRET: parameter('ApkSigningSecretParameter', apkSigningSecret.value).arn,
};

/** What `/signing-key.pub` answers; nothing where every runner has its own. */
export const publicKey = $util.unsecret(signingSecret.value).apply((secret) => (secret === 'none' ? '' : publicOfUsignSecret(secret)));

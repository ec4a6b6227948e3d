import { publicOfUsignSecret } from '#runner/signing/usign.ts';

/**
 * The keys that sign images: `sst secret set SigningSecret "$(cat key-build)"`. Without them each runner makes its own
 * keys. ECS reads them with the execution role and passes them to the container; the task's role cannot read them.
 */
const signingSecret = new sst.Secret('SigningSecret', 'none');
const apkSigningSecret = new sst.Secret('ApkSigningSecret', 'none');

const parameter = (name: string, value: $util.Input<string>) =>
  new aws.ssm.Parameter(name, { name: `/sst/${$app.name}/${$app.stage}/${name}`, type: 'SecureString', value });

export const signingParameters = {
  SIGNING_SECRET: parameter('SigningSecretParameter', signingSecret.value).arn,
  APK_SIGNING_SECRET: parameter('ApkSigningSecretParameter', apkSigningSecret.value).arn,
};

/** The answer of `/signing-key.pub`. It is empty if each runner makes its own keys. */
export const publicKey = $util.unsecret(signingSecret.value).apply((secret) => (secret === 'none' ? '' : publicOfUsignSecret(secret)));

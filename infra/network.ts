/**
 * The network: two public subnets without NAT. Nothing can connect to a runner, and a runner connects only over HTTPS.
 */
const vpc = new sst.aws.Vpc('Network', {
  transform: {
    securityGroup: {
      ingress: [],
      egress: [{ protocol: 'tcp', fromPort: 443, toPort: 443, cidrBlocks: ['0.0.0.0/0'] }],
    },
  },
});

export const cluster = new sst.aws.Cluster('Cluster', { vpc });

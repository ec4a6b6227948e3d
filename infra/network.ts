/** Two public subnets and no NAT: runners are reached by nobody, and go out by HTTPS only. */
const vpc = new sst.aws.Vpc('Network', {
  transform: {
    securityGroup: {
      ingress: [],
      egress: [{ protocol: 'tcp', fromPort: 443, toPort: 443, cidrBlocks: ['0.0.0.0/0'] }],
    },
  },
});

export const cluster = new sst.aws.Cluster('Cluster', { vpc });

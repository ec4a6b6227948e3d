import { cluster } from './network.ts';
import { buryMessages, countStatistics, moveBuilds, putObjects, readBuilds, takeMessages } from './permissions.ts';
import { signingParameters } from './signing-keys.ts';

const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: 'ecs-tasks.amazonaws.com' });

const inline = (statements: aws.types.input.iam.GetPolicyDocumentStatementArgs[]) => [
  { name: 'inline', policy: aws.iam.getPolicyDocumentOutput({ statements }).json },
];

const protectTask = {
  actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
  resources: [$interpolate`${cluster.nodes.cluster.arn.apply((arn) => arn.replace(':cluster/', ':task/'))}/*`],
};

/** What a runner may do, and with it, at worst, what a build that breaks out of its sandbox may. SST's own would allow a shell too. */
export const taskRole = new aws.iam.Role('RunnerTaskRole', {
  assumeRolePolicy,
  inlinePolicies: inline([
    takeMessages,
    buryMessages,
    readBuilds,
    moveBuilds,
    countStatistics,
    putObjects('store/', 'api/v1/build/', 'logs/'),
    protectTask,
  ]),
});

/** What ECS may do to start a runner: pull its image, write its log, read its keys. Not to be had from within the task. */
export const executionRole = new aws.iam.Role('RunnerExecutionRole', {
  assumeRolePolicy,
  managedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'],
  inlinePolicies: inline([{ actions: ['ssm:GetParameters'], resources: Object.values(signingParameters) }]),
});

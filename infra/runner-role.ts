import { cluster } from './network.ts';
import { buryMessages, countStatistics, moveBuilds, putObjects, readBuilds, readObjects, takeMessages } from './permissions.ts';
import { signingParameters } from './signing-keys.ts';

const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: 'ecs-tasks.amazonaws.com' });

const inline = (statements: aws.types.input.iam.GetPolicyDocumentStatementArgs[]) => [
  { name: 'inline', policy: aws.iam.getPolicyDocumentOutput({ statements }).json },
];

const protectTask = {
  actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
  resources: [$interpolate`${cluster.nodes.cluster.arn.apply((arn) => arn.replace(':cluster/', ':task/'))}/*`],
};

/**
 * The role of a running task. It also limits what a build can do that breaks out of its sandbox. SST's default role
 * would allow a shell too.
 */
export const taskRole = new aws.iam.Role('RunnerTaskRole', {
  assumeRolePolicy,
  inlinePolicies: inline([
    takeMessages,
    buryMessages,
    readBuilds,
    moveBuilds,
    countStatistics,
    putObjects('store/', 'api/v1/build/', 'logs/', 'records/imagebuilders/'),
    // To see that another runner was first.
    readObjects('records/imagebuilders/'),
    protectTask,
  ]),
});

/**
 * The role with which ECS starts a runner: it pulls the image, writes the log and reads the keys. The task itself
 * cannot use this role.
 */
export const executionRole = new aws.iam.Role('RunnerExecutionRole', {
  assumeRolePolicy,
  managedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'],
  inlinePolicies: inline([{ actions: ['ssm:GetParameters'], resources: Object.values(signingParameters) }]),
});

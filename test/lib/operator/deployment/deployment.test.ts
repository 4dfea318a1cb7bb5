/** How a deployment is found by its stack, and what is said when it is not. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClients, findDeployment } from '../../../../lib/operator/deployment/deployment.ts';
import { describeError } from '../../../../lib/operator/terminal/describe-error.ts';
import { answeredClients, awsError } from '../../../support/operated-deployment.ts';

afterEach(() => vi.unstubAllEnvs());

/** What the command line would print for this fault. */
async function faultOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => expect.fail('no fault'),
    (error) => describeError(error).message,
  );
}

const stack = (outputs?: object[]) => ({
  Stacks: [{ StackName: 'CibaProvider', StackStatus: 'UPDATE_COMPLETE', Outputs: outputs }],
});

describe('findDeployment', () => {
  it('reads status and outputs of the stack', async () => {
    const clients = answeredClients((command, input) => {
      expect([command, input]).toEqual(['DescribeStacksCommand', { StackName: 'Approvals' }]);
      return stack([{ OutputKey: 'Issuer', OutputValue: 'https://id.example', Description: 'x' }]);
    });
    const deployment = await findDeployment('Approvals', clients);
    expect(deployment).toMatchObject({
      stackName: 'Approvals',
      status: 'UPDATE_COMPLETE',
      region: 'us-east-1',
      outputs: { Issuer: 'https://id.example' },
    });
    expect(deployment.output('Issuer')).toBe('https://id.example');
  });

  it('says to deploy again when an output is missing', async () => {
    const deployment = await findDeployment(
      'CibaProvider',
      answeredClients(() => stack()),
    );
    expect(() => deployment.output('KeysTable')).toThrow(
      'The stack CibaProvider has no output KeysTable: it was deployed by an older version; deploy again (npx cdk deploy)',
    );
  });

  it('says where it looked when there is no such stack, with the account if the credentials know it', async () => {
    const none = () => {
      throw awsError('ValidationError', 'Stack with id CibaProvider does not exist');
    };
    const hint =
      ': --stack names another; AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL say where it is';
    expect(await faultOf(findDeployment('CibaProvider', answeredClients(none)))).toBe(
      `No stack CibaProvider in us-east-1${hint}`,
    );
    vi.stubEnv('AWS_ACCOUNT_ID', '123456789012');
    expect(await faultOf(findDeployment('CibaProvider', answeredClients(none)))).toBe(
      `No stack CibaProvider in us-east-1 of account 123456789012${hint}`,
    );
  });

  it('tells what AWS said when it refused', async () => {
    const clients = answeredClients(() => {
      throw awsError('AccessDenied', 'User: arn:aws:iam::1:user/x is not\n authorized');
    });
    expect(await faultOf(findDeployment('CibaProvider', clients))).toBe(
      'AWS refused: AccessDenied: User: arn:aws:iam::1:user/x is not authorized',
    );
  });

  it('does not take another answer for one', async () => {
    const clients = answeredClients(() => ({ Stacks: [] }));
    expect(await faultOf(findDeployment('CibaProvider', clients))).toMatch(/is not one$/);
  });

  it.each(['http://127.0.0.1:1', 'http://localhost:1'])(
    'says that nothing listens at %s',
    async (endpoint) => {
      vi.stubEnv('AWS_ENDPOINT_URL', endpoint);
      expect(await faultOf(findDeployment('CibaProvider'))).toMatch(
        /^Nothing listens at (?:127\.0\.0\.1|::1):1: is AWS_ENDPOINT_URL right/,
      );
    },
  );

  it('says which variables give a region and credentials when there are none', async () => {
    for (const name of ['AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    expect(await faultOf(findDeployment('CibaProvider'))).toMatch(/^No AWS region: AWS_REGION /);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
    expect(await faultOf(findDeployment('CibaProvider', createClients()))).toMatch(
      /^No AWS credentials \(.*\): AWS_PROFILE names a profile/,
    );
  });
});

/** Whether the flows that notify users can run, have run, and whether an alarm is on. */

import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import { DescribeStateMachineCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { constructIds } from '../../../lambdas/aws/formats.ts';
import { DAY_SECONDS } from '../../../lambdas/ciba/day.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { listStackResources } from '../deployment/list-stack-resources.ts';
import { flowsOf } from '../deployment/load-json-output.ts';
import type { Check, Finding } from './check.ts';
import { isDefinitionOf, readFlowFile } from './compare-flow.ts';

export const checkFlows: Check = async ({ deployment }) => {
  const flows = Object.entries(flowsOf(deployment));
  const { stepFunctions } = deployment.clients;
  const faults = await Promise.all(flows.map((flow) => tryFlow(stepFunctions, flow)));
  const found = faults.flat();
  if (found.length > 0) return found;
  const names = flows.map(([name]) => name).join(', ');
  return [{ verdict: 'ok', message: `active, and as their files say: ${names}` }];
};

async function tryFlow(
  stepFunctions: SFNClient,
  [name, stateMachineArn]: [string, string],
): Promise<Finding[]> {
  const mend = 'npx cdk deploy';
  try {
    const { status, definition } = await stepFunctions.send(
      new DescribeStateMachineCommand({ stateMachineArn }),
    );
    if (status === 'ACTIVE') return judgeDefinition(name, stateMachineArn, definition);
    return [{ verdict: 'fault', message: `${name} is ${status}: no mail goes out`, mend }];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StateMachineDoesNotExist') throw error;
    return [{ verdict: 'fault', message: `${name} does not exist: no mail goes out`, mend }];
  }
}

/** What was changed by hand CloudFormation does not see: then a deployment changes nothing. */
function judgeDefinition(name: string, arn: string, definition: string | undefined): Finding[] {
  const file = readFlowFile(name);
  if (file !== undefined && definition !== undefined && isDefinitionOf(file, definition)) return [];
  const message =
    file === undefined ? `${name} has no file here` : `${name} is not as its file says`;
  const mend = `npx cdk deploy; if nothing changes, it was changed by hand: aws stepfunctions list-state-machine-versions, update-state-machine --state-machine-arn ${arn}`;
  return [{ verdict: 'fault', message, mend }];
}

const failures = ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'];

export const checkFlowRuns: Check = async ({ deployment, clock }) => {
  const flows = Object.entries(flowsOf(deployment));
  const found = await Promise.all(
    flows.map(async ([name, arn]) =>
      judgeRuns(name, await countRuns(deployment.clients.cloudWatch, arn, clock())),
    ),
  );
  const all = found.flat();
  return all.length > 0 ? all : [{ verdict: 'ok', message: 'none failed in the last day' }];
};

function judgeRuns(name: string, counts: Record<string, number>): Finding[] {
  const failed = failures.reduce((sum, metric) => sum + (counts[metric] ?? 0), 0);
  if (failed === 0) return [];
  const message = `${failed} of ${counts['ExecutionsStarted'] ?? 0} runs of ${name} failed in the last day`;
  return [{ verdict: 'warning', message, mend: `see the log of the state machine ${name}` }];
}

async function countRuns(
  cloudWatch: CloudWatchClient,
  arn: string,
  now: number,
): Promise<Record<string, number>> {
  const metrics = ['ExecutionsStarted', ...failures];
  const { MetricDataResults: results = [] } = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date((now - DAY_SECONDS) * 1000),
      EndTime: new Date(now * 1000),
      MetricDataQueries: metrics.map((metric) => ({
        Id: metric.charAt(0).toLowerCase() + metric.slice(1),
        Label: metric,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/States',
            MetricName: metric,
            Dimensions: [{ Name: 'StateMachineArn', Value: arn }],
          },
          Period: 3600,
          Stat: 'Sum',
        },
      })),
    }),
  );
  const sum = (values: number[] = []) => values.reduce((total, value) => total + value, 0);
  return Object.fromEntries(results.map(({ Label = '', Values }) => [Label, sum(Values)]));
}

export const checkAlarms: Check = async ({ deployment }) => {
  const alarms: MetricAlarm[] = [];
  let nextToken: string | undefined;
  do {
    const page = await deployment.clients.cloudWatch.send(
      new DescribeAlarmsCommand({
        AlarmNamePrefix: alarmPrefix(deployment.stackName),
        ...(nextToken !== undefined && { NextToken: nextToken }),
      }),
    );
    alarms.push(...(page.MetricAlarms ?? []));
    nextToken = page.NextToken;
  } while (nextToken !== undefined);
  const missing = await findMissingAlarms(deployment, alarms);
  return [...missing, ...judgeAlarms(alarms, deployment.stackName)];
};

/** Those of the stack that are not there any more. */
async function findMissingAlarms(
  { clients, stackName }: Deployment,
  alarms: readonly MetricAlarm[],
): Promise<Finding[]> {
  const there = new Set(alarms.map(({ AlarmName: name }) => name));
  const resources = await listStackResources(clients.cloudFormation, stackName);
  return resources
    .filter(({ ResourceType: type }) => type === 'AWS::CloudWatch::Alarm')
    .filter(({ PhysicalResourceId: name }) => !there.has(name))
    .map(({ PhysicalResourceId: name = '' }) => ({
      verdict: 'fault',
      message: `${name.replace(`${stackName}-`, '')} was removed by hand`,
      mend: `aws cloudformation detect-stack-drift --stack-name ${stackName}; it comes back when its definition changes`,
    }));
}

/**
 * CloudFormation names an alarm after the stack and its logical id, and the logical ids of ours
 * begin alike.
 */
export function alarmPrefix(stackName: string): string {
  return `${stackName}-${constructIds.alarms}`;
}

type JudgedAlarm = Pick<
  MetricAlarm,
  'AlarmName' | 'AlarmActions' | 'ActionsEnabled' | 'StateValue' | 'StateReason'
>;

export function judgeAlarms(alarms: JudgedAlarm[], stackName: string): Finding[] {
  if (alarms.length === 0) {
    return [{ verdict: 'warning', message: 'there are no alarms', mend: 'npx cdk deploy' }];
  }
  const on = alarms
    .filter(({ StateValue: state }) => state === 'ALARM')
    .map(
      ({ AlarmName: name = '', StateReason: reason }): Finding => ({
        verdict: 'fault',
        message: `${name.replace(`${stackName}-`, '')} is on: ${reason}`,
        mend: `aws cloudwatch describe-alarms --alarm-names ${name}`,
      }),
    );
  const isHeard = alarms.every(({ AlarmActions: actions = [] }) => actions.length > 0);
  const unheard: Finding = {
    verdict: 'warning',
    message: 'nobody is told of an alarm',
    mend: 'npx cdk deploy -c alarmTopicArn=<an SNS topic>',
  };
  const faults = [...on, ...judgeActions(alarms, stackName)];
  const quiet: Finding = { verdict: 'ok', message: `none of ${alarms.length} is on` };
  return [...(faults.length > 0 ? faults : [quiet]), ...(isHeard ? [] : [unheard])];
}

/** An alarm whose actions are switched off tells nobody. */
function judgeActions(alarms: readonly JudgedAlarm[], stackName: string): Finding[] {
  return alarms
    .filter(({ ActionsEnabled: enabled }) => enabled === false)
    .map(({ AlarmName: name = '' }) => ({
      verdict: 'fault',
      message: `${name.replace(`${stackName}-`, '')} has its actions switched off`,
      mend: `aws cloudwatch enable-alarm-actions --alarm-names ${name}`,
    }));
}

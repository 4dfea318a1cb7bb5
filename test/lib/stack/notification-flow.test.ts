/** The flows: their roles, their logs, and what starts them. */
import { readdirSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { MAIN_FLOW } from '../../../lib/flows/flow-definitions.ts';
import {
  functionOf,
  plainId,
  readable,
  template,
  templateNames,
} from '../../support/synthesized-template.ts';

describe('the flows', () => {
  it('are the files of statemachines, each a state machine that the backchannel-authentication function finds by its name', () => {
    const files = readdirSync(new URL('../../../statemachines', import.meta.url))
      .filter((file) => file.endsWith('.asl.json'))
      .map((file) => file.replace('.asl.json', ''));
    expect(files.sort()).toEqual(['ciba-flow', 'ciba-generic-mail-flow']);
    const machines = Object.keys(template.findResources('AWS::StepFunctions::StateMachine'));
    const flows: Record<string, string> = JSON.parse(
      readable(functionOf('backchannel-authentication').Environment.Variables['FLOWS']),
    );
    expect(flows).toEqual({
      'ciba-flow': 'NotificationFlowStateMachine',
      'ciba-generic-mail-flow': 'NotificationFlowcibagenericmailflowStateMachine',
    });
    expect(Object.values(flows).sort()).toEqual(machines.map(plainId).sort());
    expect(flows).toHaveProperty(MAIN_FLOW);
  });

  it('have each a log of their own', () => {
    const names = Object.values(template.findResources('AWS::Logs::LogGroup')).map(
      ({ Properties }) => Properties.LogGroupName,
    );
    expect(names).toEqual(
      expect.arrayContaining([
        '/aws/vendedlogs/CibaProvider/ciba-flow',
        '/aws/vendedlogs/CibaProvider/ciba-generic-mail-flow',
      ]),
    );
  });

  it('O21: are not traced, and nothing else is: a trace of the flows alone would lead nowhere', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/x-?ray|tracing/i);
  });

  it('O9: invoke by an ARN of the partition that they are deployed to', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:');
    for (const { Properties } of Object.values(
      template.findResources('AWS::StepFunctions::StateMachine'),
    )) {
      expect(readable(Properties.DefinitionSubstitutions.lambdaInvoke)).toBe(
        'arn:<AWS::Partition>:states:::lambda:invoke',
      );
    }
  });

  it('are Express, and log no data', () => {
    template.allResourcesProperties('AWS::StepFunctions::StateMachine', {
      StateMachineType: 'EXPRESS',
      LoggingConfiguration: { IncludeExecutionData: false, Level: 'ERROR' },
    });
  });

  it('have every name that their definitions ask for, and no other', () => {
    const machines = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
    expect(machines).toHaveLength(2);
    for (const { Properties } of machines) {
      const definition: string = Properties.DefinitionString;
      const asked = [...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(Properties.DefinitionSubstitutions).sort()).toEqual(
        [...new Set(asked)].sort(),
      );
    }
  });

  it('name templates of which the stack has every locale that the mail function knows', () => {
    const names = Object.values(template.findResources('AWS::SES::Template')).map(
      ({ Properties }) => Properties.Template.TemplateName,
    );
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      DefinitionSubstitutions: {
        cibaWithBindingMessageTemplate: 'CibaProvider-ciba-with-binding-message',
        cibaWithoutBindingMessageTemplate: 'CibaProvider-ciba-without-binding-message',
      },
    });
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      DefinitionSubstitutions: {
        cibaWithBindingMessageTemplate: Match.absent(),
        cibaWithoutBindingMessageTemplate: 'CibaProvider-ciba-without-binding-message',
      },
    });
    expect(names.sort()).toEqual(templateNames);
    const locales = ['de', 'en', 'es', 'fr', 'ja'];
    expect(JSON.parse(String(functionOf('mail').Environment.Variables['TEMPLATES']))).toEqual({
      'CibaProvider-ciba-with-binding-message': locales,
      'CibaProvider-ciba-without-binding-message': locales,
    });
  });
});

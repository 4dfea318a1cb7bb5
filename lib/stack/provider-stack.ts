/**
 * The provider as a stack of its own, with the outputs that an operator and the command line ask
 * for; defines no resource itself.
 */
import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StackOutput } from '../../lambdas/aws/formats.ts';
import { routes } from '../../lambdas/routes.ts';
import type { NotificationTemplate } from '../notification-templates/compile.ts';
import { CibaProvider } from './ciba-provider.ts';
import type { Settings } from './settings.ts';

export interface ProviderStackProps {
  settings: Settings;

  /** The mails, compiled. */
  templates: NotificationTemplate[];
}

export class ProviderStack extends Stack {
  constructor(scope: Construct, id: string, { settings, templates }: ProviderStackProps) {
    super(scope, id, { description: 'OpenID Provider for CIBA' });
    const { stackName: _, ...providerSettings } = settings;

    // CDK leaves the id `Default` out of logical ids and names: they begin with what a resource is.
    const provider = new CibaProvider(this, 'Default', { ...providerSettings, templates });

    this.#addOutputs({
      Issuer: provider.issuer,
      ApiEndpoint: provider.apiEndpoint,
      BackchannelAuthenticationEndpoint: provider.issuer + routes.backchannelAuthentication,
      TokenEndpoint: provider.issuer + routes.token,
      KeyRotationDays: String(provider.keyRotationDays),
      RotateKeysFunction: provider.rotateKeysFunction.functionName,
      RotateKeysLostEvents: provider.lostEvents.RotateKeys.queueUrl,
      MailFeedbackFunction: provider.mailFeedbackFunction.functionName,
      MailFeedbackLostEvents: provider.lostEvents.MailFeedback.queueUrl,
      RevokeRefreshTokenFunction: provider.revokeRefreshTokenFunction.functionName,
      RequestsTable: provider.requestsTable.tableName,
      DirectoryTable: provider.directoryTable.tableName,
      KeysTable: provider.keysTable.tableName,
      Flows: provider.flowArns,
      FlowPolicies: JSON.stringify(provider.policies.flowPolicies),
      FlowPolicy: provider.policies.flowPolicy,
      NotificationPolicies: JSON.stringify(provider.policies.notificationPolicies),
      NotificationPolicy: provider.policies.notificationPolicy,
      NotificationTemplates: JSON.stringify(provider.mail.locales),
      TemplatePrefix: provider.mail.templatePrefix,
      Sender: provider.mail.sender,
      ConfigurationSet: provider.mail.configurationSetName,
      ...(provider.customDomainTarget && { CustomDomainTarget: provider.customDomainTarget }),
    });
  }

  /** Those that commands ask for, and others. */
  #addOutputs(outputs: Record<StackOutput, string> & Record<string, string>): void {
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}

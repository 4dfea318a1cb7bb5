/**
 * The whole provider as one stack: composes the constructs, one per capability, and defines no resource itself.
 */
import { Annotations, CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { routes } from '../lambdas/routes.ts';
import { Alarms } from './alarms.ts';
import { ApprovalPage } from './approval-page.ts';
import { BackchannelAuthenticationEndpoint } from './backchannel-authentication-endpoint.ts';
import { FirstKeys } from './first-keys.ts';
import { MetadataDocuments } from './metadata-documents.ts';
import { NotificationFlow } from './notification-flow.ts';
import { NotificationMail } from './notification-mail.ts';
import type { NotificationTemplate } from './notification-templates/compile.ts';
import { PublicApi } from './public-api.ts';
import type { Settings } from './settings.ts';
import { Tables } from './tables.ts';
import { TokenEndpoint } from './token-endpoint.ts';

export interface ProviderStackProps {
  settings: Settings;

  /** The mails, compiled. */
  templates: NotificationTemplate[];
}

export class ProviderStack extends Stack {
  constructor(scope: Construct, id: string, { settings, templates }: ProviderStackProps) {
    super(scope, id, { description: 'OpenID Provider for CIBA' });
    const logRetention = settings.logRetentionDays;

    const tables = new Tables(this, 'Tables');
    const api = new PublicApi(this, 'PublicApi', { ...settings, logRetention });
    // From configuration, never from a request header: whoever sends one would decide where the links lead.
    const issuer = settings.issuer ?? api.endpoint;

    const mail = new NotificationMail(this, 'NotificationMail', {
      templates,
      senderAddress: settings.senderAddress,
      senderName: settings.senderName,
      senderIdentity: settings.senderIdentity,
    });
    const flow = new NotificationFlow(this, 'NotificationFlow', {
      tables,
      mail,
      issuer,
      logLevel: settings.flowLogLevel,
      logRetention,
    });

    const endpoint = { api, tables, issuer, logRetention };
    const authorize = new BackchannelAuthenticationEndpoint(this, 'BackchannelAuthentication', {
      ...endpoint,
      ...settings,
      issuer,
      flow,
    });
    const token = new TokenEndpoint(this, 'TokenIssuance', {
      ...endpoint,
      accessTokenAudience: settings.accessTokenAudience ?? issuer,
    });
    const approvalPage = new ApprovalPage(this, 'ApprovalPage', endpoint);
    const metadata = new MetadataDocuments(this, 'MetadataDocuments', endpoint);
    const firstKeys = new FirstKeys(this, 'FirstKeys', { tables, logRetention });

    const endpoints = [authorize, token, approvalPage, metadata, firstKeys];
    new Alarms(this, 'Alarms', {
      api: api.api,
      stateMachine: flow.stateMachine,
      functions: [...endpoints.map((construct) => construct.function), ...flow.functions],
      tables,
      configurationSetName: mail.configurationSetName,
      topicArn: settings.alarmTopicArn,
    });

    this.#addOutputs({
      Issuer: issuer,
      ApiEndpoint: api.endpoint,
      BackchannelAuthenticationEndpoint: issuer + routes.backchannelAuthentication,
      TokenEndpoint: issuer + routes.token,
      RequestsTable: tables.requests.tableName,
      DirectoryTable: tables.directory.tableName,
      KeysTable: tables.keys.tableName,
    });
    this.#warnOfExampleSender(settings);
  }

  #addOutputs(outputs: Record<string, string>): void {
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  /** Nothing to warn of where the issuer says that this is a local host, which delivers any mail to its own inbox. */
  #warnOfExampleSender({ senderAddress, issuer }: Settings): void {
    if (!senderAddress.endsWith('@example.com') || issuer?.startsWith('http:')) return;
    Annotations.of(this).addWarningV2(
      'ciba:senderAddress',
      `Mails cannot be sent from ${senderAddress}: set senderAddress to an address that SES has verified.`,
    );
  }
}

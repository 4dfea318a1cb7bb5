/**
 * The whole provider as one construct, for an app of its own or beside other resources of another:
 * composes the constructs, one per capability, and exposes what others wire.
 */
import { Annotations, Stack, Token } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { constructIds } from '../../lambdas/aws/formats.ts';
import {
  compileNotificationTemplates,
  type NotificationTemplate,
} from '../notification-templates/compile.ts';
import { Alarms } from './alarms.ts';
import { ApprovalPage } from './approval-page.ts';
import { BackchannelAuthenticationEndpoint } from './backchannel-authentication-endpoint.ts';
import type { CustomDomainNames } from './custom-domain.ts';
import { nameDeployment } from './deployment-name.ts';
import { KeyRotation } from './key-rotation.ts';
import { MailFeedback } from './mail-feedback.ts';
import { MetadataDocuments } from './metadata-documents.ts';
import { NotificationFlow } from './notification-flow.ts';
import { NotificationMail } from './notification-mail.ts';
import { findUnknownFlows, type PolicySettings } from './policy-settings.ts';
import { PublicApi } from './public-api.ts';
import { RefreshTokenRevocation } from './refresh-token-revocation.ts';
import { findRegionFault } from './regions.ts';
import {
  type CheckedProviderSettings,
  type ProviderSettings,
  parseProviderSettings,
  SettingsRefused,
} from './settings.ts';
import { Tables } from './tables.ts';
import { TokenEndpoint } from './token-endpoint.ts';

/** Every setting of a deployment but the name of the stack, and the mails. */
export interface CibaProviderProps extends ProviderSettings {
  /**
   * What the names of the API, of its and the flows' logs and of the mail templates begin with,
   * unique in the account and region. Another one for a provider that is deployed replaces its log
   * groups, and what was logged is gone.
   * @default made of the ids of stack and provider with a hash, cut in the middle where they have
   * more than 13 characters
   */
  name?: string | undefined;

  /**
   * The mails, compiled from a folder by `compileNotificationTemplates`.
   * @default the mails of this package
   */
  templates?: NotificationTemplate[] | undefined;
}

export class CibaProvider extends Construct {
  /** The issuer identifier; clients discover everything else below it. */
  readonly issuer: string;

  /**
   * Where the HTTP API answers: its own address, or the custom domain. Without a slash at its end.
   */
  readonly apiEndpoint: string;

  readonly api: HttpApi;

  /** What the DNS of a custom domain has to lead to, for whoever gave no hosted zone. */
  readonly customDomainTarget: string | undefined;

  /** The function that renews the keys, which an operator calls who wants new ones now. */
  readonly rotateKeysFunction: IFunction;

  /** The function that SES's events of mails are given to. */
  readonly mailFeedbackFunction: IFunction;

  /** Where events lie that these two functions failed at to the end. */
  readonly lostEvents: Readonly<Record<'RotateKeys' | 'MailFeedback', IQueue>>;

  /** Ends the refresh token of a request: `{"ref":…}`. */
  readonly revokeRefreshTokenFunction: IFunction;

  /** How old the newest key of a kind becomes before another is made. */
  readonly keyRotationDays: number;

  readonly requestsTable: Table;

  readonly directoryTable: Table;

  readonly keysTable: Table;

  /** The flows that notify the user, by their names: the files of `statemachines`. */
  readonly flows: Readonly<Record<string, IStateMachine>>;

  /** The flows' ARNs by their names, as JSON. */
  readonly flowArns: string;

  /** What mails are sent with. */
  readonly mail: NotificationMail;

  /** How often users may be asked, and over which flows requests are distributed. */
  readonly policies: PolicySettings;

  /** All functions, of endpoints and tasks. */
  readonly functions: IFunction[];

  readonly #tables: Tables;
  readonly #revocation: RefreshTokenRevocation;

  /**
   * @throws an error with a line for each mistake in the settings, which names the setting and what
   * is allowed
   */
  constructor(
    scope: Construct,
    id: string,
    { templates, name: givenName, ...props }: CibaProviderProps,
  ) {
    super(scope, id);
    this.#assertRegion();
    const settings = checkSettings(props);
    // Where AWS wants a name, two providers of one account and region need two.
    const name = nameDeployment(this, givenName);
    const logRetention = settings.logRetentionDays;

    const tables = new Tables(this, constructIds.tables);
    const api = new PublicApi(this, 'PublicApi', {
      ...settings,
      name,
      customDomain: readCustomDomain(settings),
      logRetention,
    });
    // From configuration, never from a request header: whoever sends one would decide where the
    // links lead.
    const issuer = settings.issuer ?? api.endpoint;

    const mail = new NotificationMail(this, 'NotificationMail', {
      name,
      templates: templates ?? compileNotificationTemplates(),
      senderAddress: settings.senderAddress,
      senderName: settings.senderName,
      senderIdentity: settings.senderIdentity,
      provisionTemplates: settings.target === 'aws',
    });
    const flow = new NotificationFlow(this, 'NotificationFlow', {
      name,
      tables,
      mail,
      issuer,
      logLevel: settings.flowLogLevel,
      logRetention,
    });

    const unknownFlows = findUnknownFlows(settings, Object.keys(flow.flows));
    if (unknownFlows.length > 0) throw new SettingsRefused(unknownFlows);

    const endpoint = { api, tables, issuer, logRetention };
    const authorize = new BackchannelAuthenticationEndpoint(this, 'BackchannelAuthentication', {
      ...endpoint,
      ...settings,
      issuer,
      flow,
      policies: settings,
    });
    const token = new TokenEndpoint(this, 'TokenIssuance', {
      ...endpoint,
      accessTokenAudience: settings.accessTokenAudience ?? issuer,
    });
    const approvalPage = new ApprovalPage(this, 'ApprovalPage', {
      ...endpoint,
      recordDecisionOrigin: settings.recordDecisionOrigin,
      reservedConcurrency: settings.approveReservedConcurrency,
    });
    const metadata = new MetadataDocuments(this, 'MetadataDocuments', endpoint);
    const keyRotation = new KeyRotation(this, 'KeyRotation', {
      tables,
      keyRotationDays: settings.keyRotationDays,
      logRetention,
    });

    const mailFeedback = new MailFeedback(this, 'MailFeedback', {
      tables,
      configurationSetName: mail.configurationSetName,
      logRetention,
    });

    this.#revocation = new RefreshTokenRevocation(this, 'Revocation', { tables, logRetention });

    const others = [
      authorize,
      token,
      approvalPage,
      metadata,
      keyRotation,
      mailFeedback,
      this.#revocation,
    ];
    this.functions = [...others.map((construct) => construct.function), ...flow.functions];
    this.lostEvents = {
      RotateKeys: keyRotation.lostEvents.queue,
      MailFeedback: mailFeedback.lostEvents.queue,
    };
    new Alarms(this, constructIds.alarms, {
      api: api.api,
      flows: flow.flows,
      functions: this.functions,
      authorizeLog: authorize.logGroup,
      tables,
      configurationSetName: mail.configurationSetName,
      mailFeedback: mailFeedback.rule,
      lostEvents: this.lostEvents,
      rotateKeys: keyRotation.function,
      topicArn: settings.alarmTopicArn,
    });

    this.issuer = issuer;
    this.api = api.api;
    this.apiEndpoint = api.endpoint;
    this.customDomainTarget = api.customDomain?.target;
    this.rotateKeysFunction = keyRotation.function;
    this.mailFeedbackFunction = mailFeedback.function;
    this.revokeRefreshTokenFunction = this.#revocation.function;
    this.keyRotationDays = settings.keyRotationDays;
    this.requestsTable = tables.requests;
    this.directoryTable = tables.directory;
    this.keysTable = tables.keys;
    this.policies = settings;
    this.flows = flow.flows;
    this.flowArns = flow.describeFlows();
    this.mail = mail;
    this.#tables = tables;
    this.#warnOfExampleSender(settings);
  }

  /**
   * Lets the grantee read, write and remove clients and users; the public keys beside them it can
   * only read.
   */
  grantManageDirectory(grantee: IGrantable): Grant {
    return this.#tables.grantManageDirectory(grantee);
  }

  /** Lets the grantee look up requests and list those of a day, which is the audit. */
  grantReadRequests(grantee: IGrantable): Grant {
    return this.#tables.grantReadRequests(grantee);
  }

  /**
   * Lets the grantee lift what limits say of users (`ciba user clear-limits`), and see it
   * (`ciba user show`).
   */
  grantClearLimits(grantee: IGrantable): Grant {
    return this.#tables.grantClearLimits(grantee);
  }

  /**
   * Lets the grantee end the refresh tokens that came of requests, through a function that does
   * nothing else: it can change no request itself. It finds the request by
   * {@link grantReadRequests}.
   */
  grantRevokeRefreshTokens(grantee: IGrantable): Grant {
    return this.#revocation.grantRevoke(grantee);
  }

  /** A stack that is for no region in particular goes on. */
  #assertRegion(): void {
    const { region } = Stack.of(this);
    const fault = Token.isUnresolved(region) ? undefined : findRegionFault(region);
    if (fault !== undefined) throw new SettingsRefused([fault]);
  }

  /**
   * Nothing to warn of where the issuer says that this is a local host, which delivers any mail to
   * its own inbox.
   */
  #warnOfExampleSender({ senderAddress, issuer }: CheckedProviderSettings): void {
    if (!senderAddress.endsWith('@example.com') || issuer?.startsWith('http:')) return;
    Annotations.of(this).addWarningV2(
      'ciba:senderAddress',
      `Mails cannot be sent from ${senderAddress}: set senderAddress to an address that SES has verified.`,
    );
  }
}

function checkSettings(props: ProviderSettings): CheckedProviderSettings {
  const parsed = parseProviderSettings(props);
  if ('mistakes' in parsed) throw new SettingsRefused(parsed.mistakes);
  return parsed.settings;
}

/**
 * The custom domain of the settings, which have a certificate wherever they have a name, and a
 * zone's id with its name.
 */
function readCustomDomain(settings: CheckedProviderSettings): CustomDomainNames | undefined {
  const { customDomain, certificateArn, hostedZoneId, hostedZoneName } = settings;
  if (customDomain === undefined || certificateArn === undefined) return undefined;
  const zone =
    hostedZoneId === undefined || hostedZoneName === undefined
      ? undefined
      : { id: hostedZoneId, name: hostedZoneName };
  return { domainName: customDomain, certificateArn, zone };
}

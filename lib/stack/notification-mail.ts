/**
 * What SES needs to send the notifications: the templates, a configuration set that reports
 * failures and tracks nothing (a tracked link would hand the credential in it to a redirect host),
 * and if asked for the identity of the sender.
 */
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import * as ses from 'aws-cdk-lib/aws-ses';
import { Construct } from 'constructs';
import { DEFAULT_LOCALE } from '../../lambdas/ciba/words/locale.ts';
import {
  groupLocales,
  type NotificationTemplate,
  SES_NAME_LENGTH,
} from '../notification-templates/compile.ts';
import { SettingsRefused } from './settings.ts';

export interface NotificationMailProps {
  /** Unique in the account and region. */
  name: string;

  templates: NotificationTemplate[];

  /** The address that mails come from. */
  senderAddress: string;

  /** The name beside it, if any. */
  senderName: string | undefined;

  /** Whether to make an identity of the address; one that exists cannot be made again. */
  senderIdentity: 'existing' | 'create';

  /**
   * Whether the stack makes the templates; where it does not, somebody else has to, under the same
   * names.
   */
  provisionTemplates: boolean;
}

/**
 * The names of so many, 64 characters each, leave room for the other rights in the 10,240
 * characters of a role's policies.
 */
const MOST_TEMPLATES = 60;

/**
 * CloudFormation takes a template of 1,000,000 bytes; the rest of ours, with the largest flows, has
 * less than 250,000.
 */
const TEMPLATES_BYTES = 700_000;

export class NotificationMail extends Construct {
  /** The From header: an address, or `name <address>`. */
  readonly sender: string;

  readonly configurationSetName: string;

  /** What the names of the templates in SES begin with: behind it comes `<name>-<locale>`. */
  readonly templatePrefix: string;

  /** The locales of each template by its name. */
  readonly locales: Readonly<Record<string, string[]>>;

  readonly #props: NotificationMailProps;

  constructor(scope: Construct, id: string, props: NotificationMailProps) {
    super(scope, id);
    this.#props = props;
    this.sender = formatSender(props.senderAddress, props.senderName);
    this.templatePrefix = `${props.name}-`;
    this.locales = checkedLocales(props.templates);
    this.#assertSizes();
    this.configurationSetName = this.#addConfigurationSet().configurationSetName;
    if (props.provisionTemplates) this.#addTemplates();
    if (props.senderIdentity === 'create') this.#addIdentity();
  }

  /**
   * What a flow may write in the place of a template: `${cibaWithBindingMessageTemplate}` is the
   * base name of one.
   */
  get substitutions(): Record<string, string> {
    return Object.fromEntries(
      Object.keys(this.locales).map((name) => [nameSubstitution(name), this.#baseName(name)]),
    );
  }

  /**
   * The locales by what a flow calls a template: with `-<locale>` behind it, that is a name in SES.
   */
  get localesByBaseName(): Record<string, string[]> {
    return Object.fromEntries(
      Object.entries(this.locales).map(([name, locales]) => [this.#baseName(name), locales]),
    );
  }

  /**
   * The right to send these templates from the one address, through the configuration set. SES
   * checks it against the identity of the sender, address or domain, and in its sandbox against the
   * recipient's too: hence every identity, held down by the From address.
   */
  allowSending(): PolicyStatement {
    return new PolicyStatement({
      actions: ['ses:SendEmail', 'ses:SendTemplatedEmail'],
      resources: [
        this.#arn('identity', '*'),
        this.#arn('configuration-set', this.configurationSetName),
        ...this.#props.templates.map((template) =>
          this.#arn('template', this.#templateName(template)),
        ),
      ],
      conditions: { StringEquals: { 'ses:FromAddress': this.#props.senderAddress } },
    });
  }

  /** Says of the function that may send why its one wildcard is there. */
  acknowledgeIdentities(sender: Construct): void {
    Validations.of(sender).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*]',
      reason:
        'SES checks the right against the identity of the address or of its domain, and in the sandbox against the recipient; the condition on ses:FromAddress admits one sender.',
    });
  }

  /**
   * What SES, IAM and CloudFormation take of the mails; an app may have made them by other means
   * than our compiler.
   */
  #assertSizes(): void {
    const { templates } = this.#props;
    const mistakes = templates.map((mail) => this.#templateName(mail)).flatMap(findNameFault);
    if (templates.length > MOST_TEMPLATES) {
      mistakes.push(
        `The mail templates are ${templates.length}, each locale of a name counted; allowed: ${MOST_TEMPLATES}, since the role that sends them names each.`,
      );
    }
    const bytes = Buffer.byteLength(JSON.stringify(templates));
    if (bytes > TEMPLATES_BYTES) {
      mistakes.push(
        `The mail templates have ${bytes} bytes together; allowed: ${TEMPLATES_BYTES}, since the template of the stack holds them.`,
      );
    }
    if (mistakes.length > 0) throw new SettingsRefused(mistakes);
  }

  #baseName(name: string): string {
    return this.templatePrefix + name;
  }

  /** The name of a template in SES, unique in its account and region. */
  #templateName({ name, locale }: NotificationTemplate): string {
    return `${this.#baseName(name)}-${locale}`;
  }

  #arn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'ses', resource, resourceName });
  }

  #addConfigurationSet(): ses.ConfigurationSet {
    const configurationSet = new ses.ConfigurationSet(this, 'ConfigurationSet', {
      reputationMetrics: true,
      // The mail holds a credential: better a bounce, which alarms, than a hop in the clear.
      tlsPolicy: ses.ConfigurationSetTlsPolicy.REQUIRE,
      // An account may have turned on engagement metrics for all its mail, which tracks opens and
      // clicks.
      vdmOptions: { engagementMetrics: false },
    });
    const events = [
      ses.EmailSendingEvent.BOUNCE,
      ses.EmailSendingEvent.COMPLAINT,
      ses.EmailSendingEvent.REJECT,
      ses.EmailSendingEvent.RENDERING_FAILURE,
    ];
    configurationSet.addEventDestination('Metrics', {
      destination: ses.EventDestination.cloudWatchDimensions([
        {
          source: ses.CloudWatchDimensionSource.MESSAGE_TAG,
          name: 'ses:configuration-set',
          defaultValue: 'none',
        },
      ]),
      events,
    });
    // For MailFeedback. SES tells no other bus than the account's own.
    configurationSet.addEventDestination('Events', {
      destination: ses.EventDestination.eventBus(
        EventBus.fromEventBusName(this, 'DefaultBus', 'default'),
      ),
      events,
    });
    return configurationSet;
  }

  /** One after the other, since SES takes one change of templates a second. */
  #addTemplates(): void {
    let previous: ses.CfnTemplate | undefined;
    for (const mail of this.#props.templates) {
      const template = new ses.CfnTemplate(this, `Template-${mail.name}-${mail.locale}`, {
        template: {
          templateName: this.#templateName(mail),
          subjectPart: mail.subject,
          htmlPart: mail.html,
          textPart: mail.text,
        },
      });
      if (previous) template.addResourceDependency(previous);
      previous = template;
    }
  }

  #addIdentity(): void {
    const identity = new ses.EmailIdentity(this, 'SenderIdentity', {
      identity: ses.Identity.email(this.#props.senderAddress),
    });
    identity.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}

const sesNamePattern = new RegExp(`^[A-Za-z0-9_-]{1,${SES_NAME_LENGTH}}$`);

function findNameFault(name: string): string[] {
  if (sesNamePattern.test(name)) return [];
  return [
    `The mail template ${name} has a name of ${name.length} characters; SES takes 1 to ${SES_NAME_LENGTH} letters, digits, hyphens and underscores.`,
  ];
}

/** @throws an error that names a template without the locale that every user can be sent */
function checkedLocales(templates: NotificationTemplate[]): Record<string, string[]> {
  const locales = groupLocales(templates);
  for (const [name, found] of Object.entries(locales)) {
    if (found.includes(DEFAULT_LOCALE)) continue;
    throw new Error(
      `Template ${name} must have the locale ${DEFAULT_LOCALE}; it has ${found.join(', ')}.`,
    );
  }
  return locales;
}

/** `ciba-with-binding-message` becomes `cibaWithBindingMessageTemplate`. */
function nameSubstitution(template: string): string {
  const camelCase = template.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return `${camelCase}Template`;
}

/**
 * An address with its display name: quoted (RFC 5322, 3.4), or as an encoded word (RFC 2047) if it
 * is not ASCII.
 */
function formatSender(address: string, name: string | undefined): string {
  if (name === undefined) return address;
  const ascii = /^[\x20-\x7e]+$/.test(name);
  const phrase = ascii ? `"${name}"` : `=?UTF-8?B?${Buffer.from(name).toString('base64')}?=`;
  return `${phrase} <${address}>`;
}

/**
 * One of the provider's functions: what they have in common stands here and nowhere else. Each has
 * a role and a log group of its own and exactly the environment that its handler declares.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import {
  AssetHashType,
  type BundlingOptions,
  DockerImage,
  Duration,
  RemovalPolicy,
  Stage,
} from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  CfnFunction,
  Code,
  type FunctionOptions,
  type IFunction,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ApproveEnvironment } from '../../lambdas/handlers/environments/approve.ts';
import type { BackchannelAuthenticationEnvironment } from '../../lambdas/handlers/environments/backchannel-authentication.ts';
import type { LocateUserEnvironment } from '../../lambdas/handlers/environments/locate-user.ts';
import type { MailEnvironment } from '../../lambdas/handlers/environments/mail.ts';
import type { MailFeedbackEnvironment } from '../../lambdas/handlers/environments/mail-feedback.ts';
import type { MetadataEnvironment } from '../../lambdas/handlers/environments/metadata.ts';
import type { RecordFailureEnvironment } from '../../lambdas/handlers/environments/record-failure.ts';
import type { RevokeRefreshTokenEnvironment } from '../../lambdas/handlers/environments/revoke-refresh-token.ts';
import type { RotateKeysEnvironment } from '../../lambdas/handlers/environments/rotate-keys.ts';
import type { TokenEnvironment } from '../../lambdas/handlers/environments/token.ts';
import { findEnvironmentExcess } from './function-environment.ts';
import type { LostEvents } from './lost-events.ts';
import { SettingsRefused } from './settings.ts';

/** The environment of each handler; a handler is a file of `lambdas/handlers`. */
interface Environments {
  'backchannel-authentication': BackchannelAuthenticationEnvironment;
  token: TokenEnvironment;
  approve: ApproveEnvironment;
  metadata: MetadataEnvironment;
  'locate-user': LocateUserEnvironment;
  mail: MailEnvironment;
  'record-failure': RecordFailureEnvironment;
  'mail-feedback': MailFeedbackEnvironment;
  'revoke-refresh-token': RevokeRefreshTokenEnvironment;
  'rotate-keys': RotateKeysEnvironment;
}

export type HandlerName = keyof Environments;

export interface ProviderFunctionProps<Name extends HandlerName> {
  /** The handler's file in `lambdas/handlers`, without `.ts`. */
  handler: Name;

  /** Everything the handler reads from its environment. */
  environment: Environments[Name];

  /** All the function may do, beside writing its log. */
  rights: PolicyStatement[];

  /**
   * How long a run may take.
   * @default 10 seconds
   */
  timeout?: Duration;

  /**
   * Where an event lies that it failed at to the end; for a function whose caller waits for no
   * answer.
   */
  lostEvents?: LostEvents;

  /** Concurrent runs that are its own, if any. */
  reservedConcurrency?: number | undefined;

  logRetention: RetentionDays;
}

const projectRoot = join(import.meta.dirname, '../..');
/**
 * The bundles of a package, a folder for each handler; a checkout has none and bundles at synth.
 */
const packagedBundles = join(projectRoot, 'functions');

const bundlingFolder = join(projectRoot, 'lambdas/bundling');

/**
 * How a handler becomes one file: the whole AWS SDK inside, pinned and without a look-up at run
 * time, less the parts of it that a cold start would pay for and nothing here uses. Target Node 20,
 * so that the local host runs it too.
 */
const bundling = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  minify: true,
  logLevel: 'warning',
  target: 'node20',
  mainFields: ['module', 'main'],
  // Loaded by a request or an answer that is an event stream; no call of ours has one.
  external: ['@smithy/core/event-streams'],
  // The platform's Request and Response are undici, which would be loaded with the first request.
  inject: [join(bundlingFolder, 'web-messages.ts')],
  // A character of a text in Japanese is three bytes, and six if it is escaped.
  charset: 'utf8',
  // The files by which `ciba trace` reads a frame of the log. The sources are in the checkout.
  sourcemap: 'external',
  sourcesContent: false,
  alias: {
    'node:http': join(bundlingFolder, 'node-http.ts'),
    '@aws-sdk/credential-provider-node': join(bundlingFolder, 'credential-provider-node.ts'),
    '@aws-sdk/endpoint-cache': join(bundlingFolder, 'endpoint-cache.ts'),
    '@smithy/core/checksum': join(bundlingFolder, 'checksum.ts'),
    '@aws/lambda-invoke-store': join(bundlingFolder, 'lambda-invoke-store.ts'),
  },
};

export class ProviderFunction<Name extends HandlerName> extends Construct {
  readonly function: IFunction;

  readonly logGroup: ILogGroup;

  constructor(scope: Construct, id: string, props: ProviderFunctionProps<Name>) {
    super(scope, id);
    const excess = findEnvironmentExcess(this, props.handler, { ...props.environment });
    if (excess.length > 0) throw new SettingsRefused(excess);

    const logGroup = new LogGroup(this, 'Log', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.logGroup = logGroup;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        rights: new PolicyDocument({
          statements: [
            ...props.rights,
            allowLogging(logGroup),
            ...(props.lostEvents ? [props.lostEvents.allowLosing()] : []),
          ],
        }),
      },
    });
    const entry = `lambdas/handlers/${props.handler}.ts`;

    const lambda = this.#addFunction(props.handler, {
      description: entry,
      architecture: Architecture.ARM_64,
      memorySize: 256,
      timeout: props.timeout ?? Duration.seconds(10),
      role,
      environment: { ...props.environment },
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      // At this level the platform's own line of each run has its duration, memory and start, and
      // no other line is written.
      systemLogLevelV2: SystemLogLevel.INFO,
    });
    if (props.lostEvents) keepLostEvents(lambda, props.lostEvents);
    this.function = lambda;
  }

  #addFunction(handler: HandlerName, options: FunctionOptions): LambdaFunction {
    return new LambdaFunction(this, 'Function', {
      ...options,
      runtime: Runtime.NODEJS_24_X,
      code: existsSync(packagedBundles)
        ? Code.fromAsset(join(packagedBundles, handler))
        : bundledCode(this, handler),
      handler: 'index.handler',
    });
  }
}

/**
 * What is asked of esbuild: a tool of the checkout, as the compiler is one, and nothing that a
 * package needs.
 */
interface Bundler {
  buildSync(options: object): { outputFiles: BuiltFile[] };
}

interface BuiltFile {
  path: string;
  contents: Uint8Array;
}

/**
 * By the bundler's own interface: NodejsFunction starts it through npx, which takes longer than the
 * bundling does.
 */
function bundledCode(scope: Construct, handler: HandlerName): Code {
  const bundlingOfHandler: BundlingOptions = {
    image: DockerImage.fromRegistry('none'),
    // Tells one handler's bundling from another's, which the CDK would take for the same.
    command: [handler],
    local: {
      tryBundle(outputFolder) {
        const maps = assemblyFolder(scope, 'source-maps');
        for (const { path, contents } of buildBundle(handler)) {
          const isMap = extname(path) === '.map';
          writeFileSync(
            isMap ? join(maps, `${handler}.mjs.map`) : join(outputFolder, 'index.mjs'),
            contents,
          );
        }
        return true;
      },
    },
  };
  // Of an asset that is not bundled, as under `cdk bootstrap`, the CDK takes this folder as it is.
  return Code.fromAsset(assemblyFolder(scope, 'unbundled'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: bundlingOfHandler,
  });
}

/** The bundle of a handler and its source map, neither of which depends on where it is made. */
function buildBundle(handler: HandlerName): BuiltFile[] {
  const bundler: Bundler = createRequire(import.meta.url)('esbuild');
  return bundler.buildSync({
    ...bundling,
    absWorkingDir: projectRoot,
    entryPoints: [join(projectRoot, `lambdas/handlers/${handler}.ts`)],
    // The sources of the map are named from the folder of this file, which is not written.
    outfile: join(projectRoot, 'index.mjs'),
    write: false,
  }).outputFiles;
}

/**
 * A folder of the assembly. In `unbundled` is nothing: Lambda refuses a function of it. In
 * `source-maps` is a file for each handler; it is part of no asset, so that it is not deployed and
 * no asset's hash depends on it.
 */
function assemblyFolder(scope: Construct, name: 'unbundled' | 'source-maps'): string {
  const outdir = Stage.of(scope)?.assetOutdir;
  if (outdir === undefined) throw new Error(`${scope.node.path} is in no app`);
  const folder = join(outdir, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Not by the property of the same name, with which the CDK would add a policy to the role whose
 * rights all stand here.
 */
function keepLostEvents(lambda: LambdaFunction, { queue }: LostEvents): void {
  const resource = lambda.node.defaultChild;
  if (CfnFunction.isCfnFunction(resource)) {
    resource.deadLetterConfig = { targetArn: queue.queueArn };
  }
}

function allowLogging(logGroup: LogGroup): PolicyStatement {
  return new PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroup.logGroupArn],
  });
}

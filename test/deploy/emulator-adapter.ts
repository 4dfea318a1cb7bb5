/**
 * Where the emulator differs from AWS: everything the black-box cases need to see the same is here,
 * each with its reason.
 */
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import * as z from 'zod';
import { takingTurns } from '../../lib/local/services/taking-turns.ts';
import { invokeFunction, listFunctions } from './deployed-functions.ts';

/**
 * How many requests the emulator answers at once without refusing some with 502 and 503, which AWS
 * would not.
 */
const AT_ONCE = 8;

/** What the forwarder has to know of the deployment. */
interface DeployedApi {
  /** The emulator's own address. */
  emulator: string;
  apiId: string;
}

/** Answers for the issuer. */
export interface Forwarder {
  server: Server;
  /** Runs when no request is under way; those that come meanwhile wait. */
  alone(task: () => Promise<void>): Promise<void>;
}

/**
 * Makes what answers for the issuer. MiniStack has no host name for an API on one machine, only a
 * path below its own address, so each request is handed on with that path before its own, and the
 * rest as it came.
 */
export function forwarder({ emulator, apiId }: DeployedApi): Forwarder {
  const prefix = `/_aws/execute-api/${apiId}/$default`;
  const turn = takingTurns(AT_ONCE);
  const server = createServer(async (received, answer) => {
    const done = await turn();
    answer.once('close', done);
    if (received.method === 'OPTIONS') return answerOptions(emulator, received, answer);
    const forwarded = request(new URL(emulator), {
      method: received.method,
      path: prefix + pathOf(received.url ?? '/'),
      // Without a host of its own the emulator would look for an API of that name.
      headers: { ...received.headers, host: new URL(emulator).host },
    });
    forwarded.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    forwarded.on('error', () => answer.destroy());
    received.pipe(forwarded);
  });
  return {
    server,
    async alone(task) {
      const turns = await Promise.all(Array.from({ length: AT_ONCE }, turn));
      try {
        await task();
      } finally {
        for (const done of turns) done();
      }
    },
  };
}

/** The function behind each route, by the part of its name that its construct gives it. */
const functionOf: [path: RegExp, name: string][] = [
  [/^\/(?:cibaAuthorization|bc-authorize)$/, 'BackchannelAuthentication'],
  [/^\/token$/, 'TokenIssuance'],
  [/^\/approve(?:\/|$)/, 'ApprovalPage'],
  [/^\/(?:$|jwks$|favicon\.ico$|logo\/|\.well-known\/)/, 'MetadataDocuments'],
];

const proxyResult = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

/**
 * MiniStack refuses OPTIONS with 403 where no CORS is configured; AWS hands it to an ANY route as
 * any other method. So the deployed function itself is invoked, with the event that it would get.
 */
async function answerOptions(
  emulator: string,
  received: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const rawPath = pathOf(received.url ?? '/');
  const [, part] = functionOf.find(([path]) => path.test(rawPath)) ?? [];
  const name = part && (await nameOfFunction(emulator, part));
  if (name === undefined) {
    answer.writeHead(404).end();
    return;
  }
  const event = {
    rawPath,
    rawQueryString: '',
    headers: received.headers,
    requestContext: { http: { method: 'OPTIONS', path: rawPath } },
    isBase64Encoded: false,
  };
  const result = await invokeFunction(emulator, name, event);
  const { statusCode, headers, body } = proxyResult.parse(result);
  answer.writeHead(statusCode, headers).end(body);
}

async function nameOfFunction(emulator: string, part: string): Promise<string | undefined> {
  const functions = await listFunctions(emulator);
  return functions.map(({ FunctionName }) => FunctionName).find((name) => name.includes(part));
}

/** A request with an absolute target (RFC 9112 3.2.2) is for its path. */
function pathOf(target: string): string {
  if (target.startsWith('/')) return target;
  return URL.canParse(target) ? new URL(target).pathname + new URL(target).search : '/';
}

const messages = z.object({
  messages: z.record(
    z.string(),
    z.array(
      z.object({
        Source: z.string(),
        To: z.array(z.string()),
        Subject: z.string(),
        BodyText: z.string(),
        BodyHtml: z.string(),
        Timestamp: z.number(),
      }),
    ),
  ),
});

/** Lists MiniStack's mails in the form of the local host's inbox. */
export function mailStore(emulator: string): Server {
  return createServer(async (_received: IncomingMessage, answer) => {
    const response = await fetch(`${emulator}/_ministack/ses/messages`);
    const mails = Object.values(messages.parse(await response.json()).messages).flat();
    const emails = mails
      .toSorted((one, other) => one.Timestamp - other.Timestamp)
      .map(({ Source, To, Subject, BodyText, BodyHtml }) => ({
        from: Source,
        subject: Subject,
        destination: { to: To },
        body: { text: BodyText, html: BodyHtml },
      }));
    answer.setHeader('Content-Type', 'application/json');
    answer.end(JSON.stringify({ emails }));
  });
}

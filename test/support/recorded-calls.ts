/**
 * Stands between the functions of a local host and its services: notes every call with the function
 * that made it, passes it on, and disturbs single calls on request, as a network or a service
 * would.
 */
import type { IncomingMessage, Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
} from '../../lib/local/loopback.ts';
import { forward, readAgain } from '../../lib/local/services/forward.ts';
import type { ServiceEndpoints } from '../../lib/local/services/run-functions.ts';

/** A call of a service, as IAM would judge it. */
export interface ServiceCall {
  /** The function whose credentials signed it. */
  functionName: string;
  /** `dynamodb:GetItem`. */
  action: string;
  input: Record<string, unknown>;
}

/** What happens to a call: it is refused with this error. */
export type Disturbance = { refusedWith: string };

/** The calls so far, and the means to disturb one. */
export interface RecordedCalls {
  calls: ServiceCall[];
  /** Disturbs the next call that fits, once. */
  disturbNext(fits: (call: ServiceCall) => boolean, disturbance: Disturbance): void;
  /** For `startLocalHost`. */
  interpose(services: ServiceEndpoints): Promise<ServiceEndpoints>;
  stop(): Promise<void>;
}

interface ArrangedDisturbance {
  fits: (call: ServiceCall) => boolean;
  disturbance: Disturbance;
}

/**
 * Records nothing until it stands between functions and services.
 * @param note is told of every call as it comes
 */
export function recordCalls(note: (call: ServiceCall) => void = () => {}): RecordedCalls {
  const calls: ServiceCall[] = [];
  const arranged: ArrangedDisturbance[] = [];
  const servers: Server[] = [];

  function takeDisturbance(call: ServiceCall): Disturbance | undefined {
    const index = arranged.findIndex(({ fits }) => fits(call));
    return index < 0 ? undefined : arranged.splice(index, 1)[0]?.disturbance;
  }

  async function standBefore(service: string): Promise<string> {
    const server = createAsyncServer(async (request, response) => {
      const body = await buffer(request);
      const call = readCall(request, body);
      calls.push(call);
      note(call);
      const disturbance = takeDisturbance(call);
      if (disturbance !== undefined) {
        response.writeHead(400, { 'x-amzn-errortype': disturbance.refusedWith });
        response.end(JSON.stringify({ __type: disturbance.refusedWith, message: 'refused' }));
        return;
      }
      await forward(readAgain(request, body), response, service);
    });
    servers.push(server);
    return loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  }

  return {
    calls,
    disturbNext: (fits, disturbance) => void arranged.push({ fits, disturbance }),
    interpose: async ({ dynamodb, sesv2, stepFunctions }) => ({
      dynamodb: await standBefore(dynamodb),
      sesv2: await standBefore(sesv2),
      stepFunctions: await standBefore(stepFunctions),
    }),
    async stop() {
      await Promise.all(servers.map(closeServer));
    },
  };
}

const actionPrefixes: Record<string, string> = {
  DynamoDB_20120810: 'dynamodb',
  AWSStepFunctions: 'states',
};

/** SES is called by method and path, the others by a header. */
const pathActions: Record<string, string> = {
  'POST /v2/email/outbound-emails': 'ses:SendEmail',
};

function readCall({ headers, method, url }: IncomingMessage, body: Buffer): ServiceCall {
  const functionName = /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1];
  const [api = '', operation] = String(headers['x-amz-target']).split('.');
  const action = operation
    ? `${actionPrefixes[api] ?? api}:${operation}`
    : (pathActions[`${method} ${url}`] ?? `${method} ${url}`);
  return { functionName: functionName ?? 'nobody', action, input: JSON.parse(String(body)) };
}

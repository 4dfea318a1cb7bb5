/**
 * AWS on this machine, at one address: a signed request goes to the service that it was signed for,
 * so that AWS_ENDPOINT_URL is all that a tool needs. Nothing is verified: whoever reaches the
 * loopback address may do everything.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../loopback.ts';
import type { LocalStack } from '../template/read-stack.ts';
import { type AwsAnswer, isQuery, jsonError, sendAnswer, xmlError } from './aws-answer.ts';
import { describeStacks } from './describe-stacks.ts';
import { forward } from './forward.ts';
import { invokeFunction } from './invoke-function.ts';
import type { ServiceEndpoints } from './run-functions.ts';
import type { LocalQueues } from './run-queues.ts';
import type { Invoke } from './serve-step-functions.ts';

/** What Lambda takes as payload, and more than any form of CloudFormation. */
const BODY_BYTES = 6 * 1024 * 1024;

/** What the services serve. */
export interface LocalAws {
  stack: LocalStack;
  endpoints: ServiceEndpoints;
  invoke: Invoke;
  queues: LocalQueues;
}

/** Answers a request that is signed for `service`. */
export type AnswerSigned = (
  service: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/**
 * The service that a request is signed for (Signature Version 4), or undefined for one that is not
 * signed.
 */
export function signedService({ headers }: IncomingMessage): string | undefined {
  const scope = /^AWS4-HMAC-SHA256 Credential=[^,\s]*\/\d{8}\/[^/,\s]*\/([^/,\s]+)\/aws4_request\b/;
  return scope.exec(headers.authorization ?? '')?.[1];
}

/** The services, by the names that requests are signed for. */
export function createLocalAws({ stack, endpoints, invoke, queues }: LocalAws): AnswerSigned {
  const createdAt = new Date();
  return async (service, request, response) => {
    switch (service) {
      case 'dynamodb':
        return forward(request, response, endpoints.dynamodb);
      case 'states':
        return forward(request, response, endpoints.stepFunctions);
      case 'ses':
        if (isMailPath(request.url)) return forward(request, response, endpoints.sesv2);
        return sendAnswer(response, unknownOf('ses', 'templates and outbound-emails of version 2'));
      case 'cloudformation':
        return withBody(request, response, (body) =>
          describeStacks(new URLSearchParams(body), stack, createdAt),
        );
      case 'lambda': {
        const { method, url: path, headers } = request;
        const type = headers['x-amz-invocation-type']?.toString();
        return withBody(request, response, (payload) =>
          invokeFunction({ method, path, type, payload }, stack.functions, invoke),
        );
      }
      case 'sqs': {
        const target = request.headers['x-amz-target']?.toString();
        return withBody(request, response, (body) => queues.answer(target, body));
      }
      default:
        request.resume();
        return sendAnswer(response, unknownService(service, request));
    }
  };
}

/** What the mail library makes of version 2 of SES; the rest of its paths are the inbox's own. */
function isMailPath(url = ''): boolean {
  return /^\/v2\/email\/(?:templates|outbound-(?:bulk-)?emails)(?:[/?]|$)/.test(url);
}

function unknownOf(service: string, known: string): AwsAnswer {
  return jsonError(
    404,
    'UnknownOperationException',
    `The local host knows of ${service}: ${known}`,
  );
}

function unknownService(service: string, request: IncomingMessage): AwsAnswer {
  const message = `The local host does not know the service ${service}; it knows cloudformation, dynamodb, lambda, ses, sqs, states`;
  const describe = isQuery(request) ? xmlError : jsonError;
  return describe(404, 'UnknownOperationException', message);
}

async function withBody(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (body: string) => AwsAnswer | Promise<AwsAnswer>,
): Promise<void> {
  const body = await readBody(request, BODY_BYTES);
  if (body !== undefined) return sendAnswer(response, await answer(body.toString()));
  sendAnswer(response, jsonError(413, 'RequestTooLargeException', `At most ${BODY_BYTES} bytes`));
}

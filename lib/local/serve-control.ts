/**
 * The control server of the local host: what tests and tools change from outside, on loopback only,
 * and AWS's services for tools that sign their requests.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeUtf8, parseJson } from '../operator/directory/data-file.ts';
import { type Directory, parseDirectory } from '../operator/directory/directory-file.ts';
import { OperatorError } from '../operator/terminal/operator-error.ts';
import {
  answerJson,
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  type PortChoice,
  programsOnly,
  readBody,
} from './loopback.ts';
import { type AnswerSigned, signedService } from './services/serve-aws.ts';

/** More than any directory file that a person writes. */
const BODY_BYTES = 32 * 1024 * 1024;

/** A running control server. */
export interface LocalControl {
  port: number;
  stop(): Promise<void>;
}

/** What the control server does for its callers; what is returned is the answer. */
export interface ControlActions {
  replaceDirectory(directory: Directory): Promise<object>;
  rotateKeys(): Promise<unknown>;
}

/**
 * Starts the control server. `PUT /directory` takes the JSON of a directory file, and answers 400
 * with the message of a OperatorError; `POST /rotate-keys` takes nothing. One call is answered
 * after the other. A request that is signed for a service of AWS goes there.
 * @throws OperatorError if the port cannot be had
 */
export async function serveControl(
  choice: PortChoice,
  actions: ControlActions,
  answerSigned: AnswerSigned,
): Promise<LocalControl> {
  let previous: Promise<unknown> = Promise.resolve();
  const answerProgram = programsOnly(async (request, response) => {
    const service = signedService(request);
    if (service !== undefined) return answerSigned(service, request, response);
    const refusal = judge(request);
    if (refusal) return answerJson(response, refusal.status, { message: refusal.message });
    const body = await readBody(request, BODY_BYTES);
    if (body === undefined)
      return answerJson(response, 413, { message: `At most ${BODY_BYTES} bytes` });
    const turn = previous.then(() => answer(response, () => act(request.url, body, actions)));
    previous = turn;
    return turn;
  });
  const server = createAsyncServer(answerProgram);
  const port = await listenOnLoopback(server, choice);
  return { port, stop: () => closeServer(server) };
}

const methods = new Map([
  ['/directory', 'PUT'],
  ['/rotate-keys', 'POST'],
]);

function judge(request: IncomingMessage): { status: number; message: string } | undefined {
  const message = 'There are PUT /directory, POST /rotate-keys, and signed requests to AWS';
  const method = methods.get(request.url ?? '');
  if (method === undefined) return { status: 404, message };
  if (request.method !== method) return { status: 405, message };
  const isJson = /^application\/json(?:;|$)/i.test(request.headers['content-type'] ?? '');
  if (method === 'PUT' && !isJson) {
    return { status: 415, message: 'content-type: allowed: application/json' };
  }
  return undefined;
}

async function act(
  path: string | undefined,
  body: Buffer,
  { replaceDirectory, rotateKeys }: ControlActions,
): Promise<unknown> {
  if (path === '/rotate-keys') return rotateKeys();
  return replaceDirectory(parseDirectory(parseJson('directory', decodeUtf8('directory', body))));
}

async function answer(response: ServerResponse, run: () => Promise<unknown>): Promise<void> {
  try {
    answerJson(response, 200, await run());
  } catch (error) {
    answerJson(response, isOfCaller(error) ? 400 : 500, {
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Whether the directory that was sent is at fault, or what is stored stands against it. */
function isOfCaller(error: unknown): boolean {
  return error instanceof OperatorError && ['usage', 'conflict'].includes(error.code);
}

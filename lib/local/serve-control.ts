/** The control server of the local host: what tests and tools change from outside, on loopback only. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Directory, DirectoryError, parseDirectory } from '../operator/directory-file.ts';
import {
  answerJson,
  closeServer,
  createAsyncServer,
  isForeign,
  listenOnLoopback,
  type PortChoice,
  readBody,
} from './loopback.ts';

/** More than any directory file that a person writes. */
const BODY_BYTES = 32 * 1024 * 1024;

/** A running control server. */
export interface LocalControl {
  port: number;
  stop(): Promise<void>;
}

/**
 * Starts the control server. `PUT /directory` takes the JSON of a directory file and hands it to `replaceDirectory`,
 * one call after the other; its answer is what was returned, or 400 with the message of a DirectoryError.
 * @throws LocalHostError if the port cannot be had
 */
export async function serveControl(
  choice: PortChoice,
  replaceDirectory: (directory: Directory) => Promise<object>,
): Promise<LocalControl> {
  let previous: Promise<unknown> = Promise.resolve();
  const server = createAsyncServer(async (request, response) => {
    const refusal = judge(request);
    if (refusal) return answerJson(response, refusal.status, { message: refusal.message });
    const body = await readBody(request, BODY_BYTES);
    const turn = previous.then(() => answer(response, body, replaceDirectory));
    previous = turn;
    return turn;
  });
  const port = await listenOnLoopback(server, choice);
  return { port, stop: () => closeServer(server) };
}

/** A web page can neither send JSON to us without asking first, nor leave out its Origin. */
function judge(request: IncomingMessage): { status: number; message: string } | undefined {
  if (isForeign(request) || request.headers.origin !== undefined) {
    return { status: 403, message: 'Not for web pages' };
  }
  if (request.url !== '/directory') return { status: 404, message: 'There is PUT /directory' };
  if (request.method !== 'PUT') return { status: 405, message: 'There is PUT /directory' };
  if (!/^application\/json(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    return { status: 415, message: 'content-type: allowed: application/json' };
  }
  return undefined;
}

async function answer(
  response: ServerResponse,
  body: Buffer | undefined,
  replaceDirectory: (directory: Directory) => Promise<object>,
): Promise<void> {
  if (body === undefined)
    return answerJson(response, 413, { message: `At most ${BODY_BYTES} bytes` });
  try {
    const directory = parseDirectory(JSON.parse(body.toString()));
    answerJson(response, 200, await replaceDirectory(directory));
  } catch (error) {
    const isFault = error instanceof DirectoryError || error instanceof SyntaxError;
    answerJson(response, isFault ? 400 : 500, {
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

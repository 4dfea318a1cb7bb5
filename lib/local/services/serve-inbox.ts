/** SES on this machine: aws-ses-v2-local with the template's mail templates, and its inbox page. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type sesLocalModule from 'aws-ses-v2-local';
import * as z from 'zod/mini';
import { OperatorError } from '../../operator/terminal/operator-error.ts';
import {
  answerJson,
  closeServer,
  createAsyncServer,
  isForeign,
  listenOnLoopback,
  loopbackUrl,
  type PortChoice,
} from '../loopback.ts';
import type { LocalMailTemplate } from '../template/read-stack.ts';
import type { AcceptedMail } from './mailbox-simulator.ts';

/**
 * A CommonJS module with a default of its own: loaders disagree about what an import of that is,
 * this they agree on.
 */
const sesLocal: typeof sesLocalModule = createRequire(import.meta.url)('aws-ses-v2-local');

/** A running SES. */
export interface LocalInbox {
  port: number;
  /** Where functions send their mail. */
  endpoint: string;
  stop(): Promise<void>;
}

/**
 * Starts the inbox with these templates stored. It takes mail, shows it at `/`, lists it at
 * `GET /store`, and forgets it, but not its templates, at `POST /clear-store`. The library keeps
 * one store per process: so does this.
 * @param accepted is told of each mail after its sender was
 * @throws OperatorError if the port cannot be had, or for a template that SES would refuse
 */
export async function serveInbox(
  choice: PortChoice,
  templates: LocalMailTemplate[],
  accepted: (mail: AcceptedMail) => void = () => {},
): Promise<LocalInbox> {
  const answer = await takeRequestListener();
  const sends = new Set<Promise<void>>();
  let clearing = Promise.resolve();

  const server = createAsyncServer(async (request, response) => {
    if (isForeign(request)) {
      return answerJson(response, 403, { message: 'Open the inbox by its own address' });
    }
    const closed = closeOf(response);
    if (request.method === 'POST' && request.url === '/clear-store') {
      clearing = clearing.then(() => clear(request, response, closed));
      return clearing;
    }
    if (request.url?.startsWith('/v2/email/outbound')) {
      await clearing;
      sends.add(closed);
      response.once('close', () => sends.delete(closed));
      watchMail(request, response, accepted);
    }
    answer(request, response);
  });

  /** The library forgets its templates too: no mail is sent until they are stored again. */
  async function clear(
    request: IncomingMessage,
    response: ServerResponse,
    closed: Promise<void>,
  ): Promise<void> {
    await Promise.all(sends);
    answer(request, response);
    await closed;
    await storeTemplates(endpoint, templates);
  }

  const port = await listenOnLoopback(server, choice);
  const endpoint = loopbackUrl(port);
  const stop = () => closeServer(server);
  try {
    await fetch(`${endpoint}/clear-store`, { method: 'POST' });
    await clearing;
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, endpoint, stop };
}

/** @throws OperatorError for a template that is not valid Handlebars, which SES refuses too */
async function storeTemplates(endpoint: string, templates: LocalMailTemplate[]): Promise<void> {
  for (const { name, subject, html, text } of templates) {
    const response = await fetch(`${endpoint}/v2/email/templates`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'AWS4-HMAC-SHA256 local' },
      body: JSON.stringify({
        TemplateName: name,
        TemplateContent: { Subject: subject, Html: html, Text: text },
      }),
    });
    if (!response.ok) throw new OperatorError(`Mail template ${name}: ${await response.text()}`);
  }
}

const sentMail = z.object({
  FromEmailAddress: z.string(),
  Destination: z.object({ ToAddresses: z.array(z.string()) }),
  ConfigurationSetName: z.optional(z.string()),
  EmailTags: z._default(z.array(z.object({ Name: z.string(), Value: z.string() })), []),
});

/** Reads along while the library, which begins to in the same moment, reads the request. */
function watchMail(
  request: IncomingMessage,
  response: ServerResponse,
  accepted: (mail: AcceptedMail) => void,
): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.once('finish', () => {
    if (response.statusCode !== 200) return;
    const mail = sentMail.safeParse(JSON.parse(Buffer.concat(chunks).toString()));
    // What goes to many at once, or as a whole message, is nothing that a stack of ours sends.
    if (!mail.success) return;
    const { FromEmailAddress, Destination, ConfigurationSetName, EmailTags } = mail.data;
    accepted({
      from: FromEmailAddress,
      to: Destination.ToAddresses,
      configurationSet: ConfigurationSetName,
      tags: Object.fromEntries(EmailTags.map(({ Name, Value }) => [Name, Value])),
    });
  });
}

/** When an answer is complete, or its caller is gone. */
function closeOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
  });
}

/**
 * The library hands out a server that listens already; we want what it answers, behind a server of
 * our own.
 */
async function takeRequestListener(): Promise<RequestListener> {
  const server = await sesLocal.default({ host: '127.0.0.1', port: 0 });
  const [listener] = server.listeners('request');
  await closeServer(server);
  return (request, response) => listener?.call(server, request, response);
}

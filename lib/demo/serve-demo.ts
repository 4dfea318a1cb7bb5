/**
 * The server of the demo: a pump for a person to use (`/`), and the story (`/story`), which shows
 * the inbox of the local host beside it. What a client developer would copy is `pump.ts`; this is
 * the machine around it.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { script, style } from './page-files.ts';
import {
  addressOf,
  amounts,
  isMailOf,
  liveParts,
  page,
  type Sale,
  type Scene,
  type View,
} from './pages.ts';
import { askForApproval, connectPump, type PumpRegistration } from './pump.ts';
import { readInbox } from './read-inbox.ts';

/** What the demo has to know. */
export interface DemoSettings {
  /** To listen on; 0 is any free one. */
  port: number;
  pump: PumpRegistration;
  /** Base URL of the local host's inbox. */
  inbox: string;
  /** Names to suggest. */
  users: string[];
  /** The subjects that the pump has on record, by name. */
  subjects?: ReadonlyMap<string, string>;
}

/** A running demo. */
export interface Demo {
  url: string;
  stop(): Promise<void>;
}

/** Sales that are remembered; of more the oldest is forgotten. */
const SALES = 100;

const FORM_BYTES = 4096;

/** How often a page that is open learns of changes. */
const LOOK_MILLISECONDS = 400;

/**
 * Starts the demo on 127.0.0.1 and, where the machine has it, on [::1], at a provider that answers
 * already.
 * @throws if the provider's discovery document or the port cannot be had
 */
export async function serveDemo(settings: DemoSettings): Promise<Demo> {
  const { port, pump, inbox, users, subjects } = settings;
  const { issuer } = pump;
  const config = await connectPump(pump);
  const sales = new Map<string, Sale>();
  const ending = new AbortController();

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => response.destroy());
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isForeign(request))
      return send(response, 403, 'text/plain', 'Open the demo by its own address.');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const sale = sales.get(searchParams.get('sale') ?? '');
    switch (`${request.method} ${pathname}`) {
      case 'GET /':
        return sendPage(response, 'pump', sale);
      case 'GET /story':
        return sendPage(response, 'story', sale);
      case 'POST /':
        return startSale(request, response);
      case 'GET /events':
        return sendEvents(response, viewOf(searchParams.get('view')), sale);
      case 'GET /mail':
        return sendMail(response, searchParams.get('id'));
      case 'GET /demo.css':
        return send(response, 200, 'text/css', style);
      case 'GET /demo.js':
        return send(response, 200, 'text/javascript', script);
      default:
        return send(response, 404, 'text/plain', 'There is nothing here.');
    }
  }

  async function sceneOf(view: View, sale: Sale | undefined): Promise<Scene> {
    const mails = await readInbox(inbox, issuer);
    if (sale && mails.some((mail) => isMailOf(mail, sale))) sale.isMailed = true;
    return { view, issuer, inbox, users, sale, mails };
  }

  async function sendPage(
    response: ServerResponse,
    view: View,
    sale: Sale | undefined,
    mistake?: string,
  ): Promise<void> {
    const html = page(await sceneOf(view, sale), { mistake, newSale: crypto.randomUUID() });
    send(response, mistake === undefined ? 200 : 400, 'text/html', html);
  }

  /** The form says which sale it starts, so that pressing its button twice asks the user once. */
  async function startSale(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request);
    const view = viewOf(form.get('view'));
    const order = readOrder(form);
    if (typeof order === 'string') return sendPage(response, view, undefined, order);
    // Whatever goes wrong while it is followed is a state of the sale.
    if (!sales.has(order.id)) void follow(order);
    response.writeHead(303, { location: addressOf(view, order.id) }).end();
  }

  /** Asks, and keeps what the pump knows up to date. */
  async function follow({ id, amount, user, isCode }: Order): Promise<void> {
    const bindingMessage = isCode ? randomCode() : `${amount} EUR at pump 4`;
    const sale: Sale = {
      ...{ id, amount, user, bindingMessage, isCode, isMailed: false },
      approval: { step: 'asking' },
    };
    const [oldest] = sales.keys();
    if (oldest !== undefined && sales.size >= SALES) sales.delete(oldest);
    sales.set(id, sale);
    const question = { user, bindingMessage, isCode, sub: subjects?.get(user) };
    for await (const approval of askForApproval(config, question, ending.signal)) {
      sale.approval = approval;
      if (approval.step === 'waiting') sale.requestId = approval.requestId;
    }
  }

  /** Server-sent events: each part of the page again when it has changed. */
  async function sendEvents(response: ServerResponse, view: View, sale?: Sale): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    const sent = new Map<string, string>();
    while (!response.destroyed && !ending.signal.aborted) {
      const parts = Object.entries(liveParts(await sceneOf(view, sale)));
      const changed = parts.filter(([id, html]) => sent.get(id) !== html);
      for (const [id, html] of changed) sent.set(id, html);
      if (changed.length > 0)
        response.write(`data: ${JSON.stringify(Object.fromEntries(changed))}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
    }
    response.end();
  }

  /** The very mail, without what could run or load anything; its links open beside it. */
  async function sendMail(response: ServerResponse, id: string | null): Promise<void> {
    const mail = (await readInbox(inbox, issuer)).find((one) => one.id === id);
    if (!mail) return send(response, 404, 'text/plain', 'This mail is not there any more.');
    const html = mail.html.replace(/<head[^>]*>/i, '$&<base target="_blank">');
    send(response, 200, 'text/html', html, mailPolicy);
  }

  const servers = await listenOnLoopback(onRequest, port);
  return {
    url: `http://localhost:${servers.port}`,
    async stop() {
      ending.abort();
      await servers.close();
    },
  };
}

const pagePolicy = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

const mailPolicy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox`;

function send(
  response: ServerResponse,
  status: number,
  mediaType: string,
  body: string,
  policy = pagePolicy,
): void {
  response.writeHead(status, {
    'content-type': `${mediaType}; charset=utf-8`,
    'content-security-policy': policy,
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/**
 * Whether another site may have sent this, or a name that was pointed at this machine (DNS
 * rebinding): the story shows links that approve.
 */
function isForeign({ headers: { host = '', origin } }: IncomingMessage): boolean {
  if (!/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host)) return true;
  return origin !== undefined && origin !== `http://${host}`;
}

function viewOf(text: string | null): View {
  return text === 'story' ? 'story' : 'pump';
}

interface Order {
  id: string;
  amount: string;
  user: string;
  isCode: boolean;
}

/** What the form orders, or what is wrong with it. */
function readOrder(form: URLSearchParams): Order | string {
  const id = form.get('sale') ?? '';
  const amount = form.get('amount') ?? '';
  const user = form.get('user')?.trim() ?? '';
  if (!amounts.includes(amount)) return `Choose an amount: ${amounts.join(', ')}.`;
  if (user === '' || user.length > 100) return 'Say who pays: a name of up to 100 characters.';
  if (!/^[\da-f-]{36}$/.test(id)) return 'Please send the form once more.';
  return { id, amount, user, isCode: form.get('code') === 'yes' };
}

/**
 * Without letters and digits that are taken for one another; each is one of 32, so none is
 * likelier.
 */
const CODE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** `K7P-X4T`: 30 random bits, of which a guesser has three tries. */
function randomCode(): string {
  const characters = [...crypto.getRandomValues(new Uint8Array(6))].map(
    (byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length] ?? '',
  );
  return `${characters.slice(0, 3).join('')}-${characters.slice(3).join('')}`;
}

/** @throws for more than any of our forms has */
async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > FORM_BYTES) throw new Error('The form is too long');
  }
  return new URLSearchParams(body);
}

/** One port of both loopback addresses, as a name such as localhost leads to either. */
async function listenOnLoopback(
  onRequest: RequestListener,
  port: number,
): Promise<{ port: number; close(): Promise<unknown> }> {
  const first = createServer(onRequest);
  const second = createServer(onRequest);
  const closeBoth = () => Promise.all([close(first), close(second)]);
  const listening = await listen(first, port, '127.0.0.1');
  try {
    await listen(second, listening, '::1');
  } catch (error) {
    // Not every machine has this address.
    if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(Object(error).code)) {
      await closeBoth();
      throw error;
    }
  }
  return { port: listening, close: closeBoth };
}

/** Answers the port, which the system chooses for 0. */
function listen(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      const listening = server.address();
      resolve(typeof listening === 'object' && listening !== null ? listening.port : port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

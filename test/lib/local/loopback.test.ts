/** Servers on loopback: one port on both families, and on no other address of the machine. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  connect,
  createServer as createNetServer,
  Server as NetServer,
  type Socket,
} from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { assertPortsFree, closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';

const families = ['127.0.0.1', '::1'];
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');
const option = '--port';

const open: Server[] = [];
const strangers: NetServer[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(open.splice(0).map(closeServer));
  for (const stranger of strangers.splice(0)) stranger.close();
});

function serverThatAnswers(text: string): Server {
  const server = createServer((_request, response) => response.end(text));
  open.push(server);
  return server;
}

/** What another program listens at. */
async function occupy(address: string, port = 0): Promise<number> {
  const stranger = createNetServer((socket) => socket.end()).listen(port, address);
  strangers.push(stranger);
  await once(stranger, 'listening');
  return Object(stranger.address()).port;
}

async function connectTo(port: number, host: string): Promise<Socket> {
  const socket = connect({ port, host });
  await once(socket, 'connect');
  return socket;
}

/** However the other side ends it. */
function endOf(socket: Socket): Promise<unknown> {
  socket.on('error', () => {}).resume();
  return new Promise((resolve) => {
    socket.once('close', resolve);
  });
}

const urlOf = (address: string, port: number) =>
  `http://${address.includes(':') ? `[${address}]` : address}:${port}/`;

describe.runIf(hasIpv6)('listenOnLoopback', () => {
  it('P49: answers on both families, at one port', async () => {
    const port = await listenOnLoopback(serverThatAnswers('ours'), { port: 0 });
    for (const address of [...families, 'localhost']) {
      expect(await (await fetch(urlOf(address, port))).text()).toBe('ours');
    }
  });

  it('P49: is reached by no other address of the machine', async () => {
    const port = await listenOnLoopback(serverThatAnswers('ours'), { port: 0 });
    const others = Object.values(networkInterfaces())
      .flatMap((addresses = []) => addresses)
      .filter(({ internal, scopeid }) => !internal && !scopeid);
    for (const { address } of others) {
      await expect(fetch(urlOf(address, port))).rejects.toThrow();
    }
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ])('P49: names port and address where another program has %s', async (address, shown) => {
    const port = await occupy(address);
    const server = serverThatAnswers('ours');
    const message = `Port ${port} is in use on ${shown}: choose another with --port`;
    await expect(listenOnLoopback(server, { port, option })).rejects.toThrow(message);
    await expect(assertPortsFree([{ port, option }])).rejects.toThrow(message);
  });

  it('P49: keeps no address when the other is taken', async () => {
    const port = await occupy('::1');
    const refused = listenOnLoopback(serverThatAnswers('ours'), { port, option });
    await expect(refused).rejects.toThrow();
    await occupy('127.0.0.1', port);
  });

  it('P49: any free port is one that is free on both', async () => {
    const taken = await occupy('::1');
    const { listen } = NetServer.prototype;
    let asked = 0;
    vi.spyOn(NetServer.prototype, 'listen').mockImplementation(function (
      this: NetServer,
      ...[port, address]: unknown[]
    ) {
      // The system's first choice happens to be taken on the other address.
      asked += port === 0 ? 1 : 0;
      return Reflect.apply(listen, this, [asked === 1 && port === 0 ? taken : port, address]);
    });
    const port = await listenOnLoopback(serverThatAnswers('ours'), { port: 0 });
    expect([asked, port === taken]).toEqual([2, false]);
    for (const address of families) {
      expect(await (await fetch(urlOf(address, port))).text()).toBe('ours');
    }
  });

  it('P49: closes both addresses, and cuts what is connected to either', async () => {
    const server = serverThatAnswers('ours');
    const port = await listenOnLoopback(server, { port: 0 });
    const sockets = await Promise.all(families.map((address) => connectTo(port, address)));
    const inTheMiddle = await connectTo(port, '::1');
    inTheMiddle.write('GET / HTTP/1.1\r\nHost: loc');
    const ends = [...sockets, inTheMiddle].map(endOf);
    await closeServer(server);
    await Promise.all(ends);
    for (const address of families) {
      await expect(connectTo(port, address)).rejects.toThrow('ECONNREFUSED');
    }
  });
});

describe('a machine without [::1]', () => {
  it.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])(
    'P49: is served on 127.0.0.1 alone, as where listening ends with %s',
    async (code) => {
      const { listen } = NetServer.prototype;
      vi.spyOn(NetServer.prototype, 'listen').mockImplementation(function (
        this: NetServer,
        ...[port, address]: unknown[]
      ) {
        if (address !== '::1') return Reflect.apply(listen, this, [port, address]);
        const error = Object.assign(new Error(`listen ${code}`), { code, address });
        process.nextTick(() => this.emit('error', error));
        return this;
      });
      const server = serverThatAnswers('ours');
      const port = await listenOnLoopback(server, { port: 0 });
      expect(await (await fetch(urlOf('127.0.0.1', port))).text()).toBe('ours');
      await expect(connectTo(port, '::1')).rejects.toThrow();
      await closeServer(server);
    },
  );
});

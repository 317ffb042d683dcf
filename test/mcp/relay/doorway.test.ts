import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError, ProtocolError } from '../../../src/errors.ts';
import { type Doorway, openDoorway } from '../../../src/mcp/relay/doorway.ts';
import { greetOwner, type Hello } from '../../../src/mcp/relay/handshake.ts';
import { RELAY_PROTOCOL } from '../../../src/mcp/relay/owner-file.ts';
import { until } from '../../fixtures/mcp-pair.ts';

const HELLO: Hello = {
  protocol: RELAY_PROTOCOL,
  version: '1.2.3',
  pid: 1,
  offer: { toolsets: [], tools: [], excludeTools: [], readOnly: false, confirmCalls: 'never' },
  settings: {},
};
const WELCOME = { kind: 'stdio', version: '1.2.4' } as const;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface Served {
  readonly hello: Hello;
  closed: boolean;
}

/** A doorway whose clients hear their own bytes again. */
async function door(mostClients?: number): Promise<{ readonly doorway: Doorway; readonly served: Served[] }> {
  const served: Served[] = [];
  const doorway = await openDoorway({
    welcome: WELCOME,
    logger: { debug: () => {} },
    mostClients,
    serve: async (socket, hello) => {
      const one: Served = { hello, closed: false };
      served.push(one);
      socket.pipe(socket);
      const close = async (): Promise<void> => {
        one.closed = true;
      };
      return { close };
    },
  });
  closers.push(() => doorway.close());
  return { doorway, served };
}

async function dialled(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  closers.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function greeted(doorway: Doorway, hello: Partial<Hello> = {}, token = doorway.token): Promise<Socket> {
  const socket = await dialled(doorway.port);
  await greetOwner(socket, token, { ...HELLO, ...hello });
  return socket;
}

/** Another program at the port of an owner; `talk` gets each connection. */
async function impostor(talk: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    talk(socket);
  }).listen(0, '127.0.0.1');
  closers.push(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ended = (socket: Socket): Promise<unknown> => once(socket.resume(), 'close');

describe('the door of an owner', () => {
  it('lets in who knows the token, with every byte that comes behind', async () => {
    const { doorway, served } = await door();
    const socket = await dialled(doorway.port);
    const welcome = greetOwner(socket, doorway.token, HELLO);
    expect(await welcome).toEqual(WELCOME);
    socket.write('{"ping":1}\n');
    const [line] = await once(createInterface({ input: socket }), 'line');
    expect(line).toBe('{"ping":1}');
    expect(served).toMatchObject([{ hello: HELLO }]);
    expect(doorway.clients()).toBe(1);
    const empty = doorway.empty();
    socket.destroy();
    await empty;
    expect(served).toMatchObject([{ closed: true }]);
    expect(doorway.clients()).toBe(0);
  });

  it('turns away who does not know the token, and proves nothing to them', async () => {
    const { doorway, served } = await door();
    await expect(greeted(doorway, {}, 'x'.repeat(43))).rejects.toThrow(ProtocolError);
    expect(served).toEqual([]);
  });

  it('shows neither the token nor a proof that holds for another connection', async () => {
    const { doorway } = await door();
    const wire: string[] = [];
    const port = await impostor((socket) => {
      const owner = connect(doorway.port, '127.0.0.1');
      owner.on('error', () => {});
      for (const [from, to] of [
        [socket, owner],
        [owner, socket],
      ] as const)
        from.on('data', (chunk) => {
          wire.push(String(chunk));
          to.write(chunk);
        });
      closers.push(() => owner.destroy());
    });
    const socket = await dialled(port);
    await greetOwner(socket, doorway.token, HELLO);
    expect(wire.join('')).not.toContain(doorway.token);
    // What one relay said, said again by somebody else.
    const replay = await dialled(doorway.port);
    replay.write(wire.find((piece) => piece.includes('"hello"')) ?? '');
    const [opening] = await once(createInterface({ input: replay }), 'line');
    expect(JSON.parse(String(opening))).toEqual({ nonce: expect.any(String) });
    await ended(replay);
    expect(doorway.clients()).toBe(1);
  });

  it.each([
    ['another protocol', { protocol: RELAY_PROTOCOL + 1 }],
    ['a client of a kind that is not known yet', { offer: { toolsets: ['holograms'] } as never }],
  ])('refuses %s with a sentence that says what to do, and names both versions', async (_, hello) => {
    const { doorway, served } = await door();
    const refused = greeted(doorway, hello);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/1\.2\.4.*1\.2\.3.*Update the older one/);
    expect(served).toEqual([]);
  });

  it('refuses the one client too many with a sentence, before it serves it', async () => {
    const { doorway, served } = await door(1);
    const first = await greeted(doorway);
    await expect(greeted(doorway)).rejects.toThrow(/1 clients share.*Close one of them/);
    expect(served).toHaveLength(1);
    first.destroy();
    await doorway.empty();
    await greeted(doorway);
    expect(served).toHaveLength(2);
  });

  it.each([
    ['nonsense', 'GET / HTTP/1.1\r\n\r\n'],
    ['JSON of another form', '{"nonce":5}\n'],
    ['a line without an end', 'x'.repeat(70_000)],
    ['a token in the clear', '{"nonce":"xxxxxxxxxxxxxxxxxxxxxxxx","proof":"","hello":{"protocol":1,"version":"1"}}\n'],
  ])('closes on a stranger who says %s', async (_, words) => {
    const { doorway, served } = await door();
    const socket = await dialled(doorway.port);
    socket.write(words);
    await ended(socket);
    expect(served).toEqual([]);
  });

  it('closes on a stranger who says nothing', async () => {
    const { doorway } = await door();
    await ended(await dialled(doorway.port));
  });

  it('lets an honest client in while strangers fill the doorway: those who wait longest have to go', async () => {
    const { doorway } = await door();
    const strangers = await Promise.all(Array.from({ length: 30 }, () => dialled(doorway.port)));
    for (const socket of strangers) socket.resume();
    const client = await greeted(doorway);
    await until(() => strangers.filter(({ destroyed }) => destroyed).length === 11);
    expect(client.destroyed).toBe(false);
    expect(strangers.at(-1)?.destroyed).toBe(false);
  });

  it('closed, ends every connection and every session', async () => {
    const { doorway, served } = await door();
    const sockets = [await greeted(doorway), await dialled(doorway.port)];
    const gone = Promise.all(sockets.map(ended));
    await doorway.close();
    await gone;
    expect(served).toMatchObject([{ closed: true }]);
  });
});

describe('a relay at the port of an owner', () => {
  const TOKEN = 'the-token-of-an-owner-that-is-gone-0123456789';

  it('tells another program nothing of its client, and leaves', async () => {
    const heard: string[] = [];
    const port = await impostor((socket) => {
      socket.write(`${JSON.stringify({ nonce: 'n'.repeat(32) })}\n`);
      createInterface({ input: socket }).on('line', (line) => {
        heard.push(line);
        // What it has heard is all that it has to make a proof of.
        const { nonce, proof } = JSON.parse(line);
        const made = createHmac('sha256', proof).update(nonce).digest('base64url');
        socket.write(`${JSON.stringify({ proof: heard.length === 1 ? proof : made, welcome: WELCOME })}\n`);
      });
    });
    const socket = await dialled(port);
    await expect(greetOwner(socket, TOKEN, HELLO)).rejects.toThrow(/another program/);
    expect(heard).toHaveLength(1);
    expect(heard[0]).not.toContain(TOKEN);
  });

  it.each([
    ['hangs up at once', (socket: Socket) => void socket.end()],
    [
      'breaks the connection in mid-sentence',
      (socket: Socket) => {
        socket.write(`${JSON.stringify({ nonce: 'n'.repeat(32) })}\n`);
        socket.once('data', () => socket.resetAndDestroy());
      },
    ],
    ['speaks another language', (socket: Socket) => void socket.write('220 mail.example.com ESMTP\r\n')],
    ['talks without end', (socket: Socket) => void socket.write('x'.repeat(100_000))],
    ['never says a word', () => undefined],
  ])('gives up on one that %s', async (_, talk) => {
    const socket = await dialled(await impostor(talk));
    await expect(greetOwner(socket, TOKEN, HELLO)).rejects.toThrow(ProtocolError);
    expect(socket.listenerCount('data')).toBe(0);
  });
});

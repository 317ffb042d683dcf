import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { greetRelay, type Hello, type Welcome } from './handshake.ts';

export interface DoorwayOptions {
  readonly welcome: Welcome;
  /** Serves a client's lines, which begin where the socket stands, until the socket closes. */
  readonly serve: (socket: Socket, hello: Hello) => Promise<{ close(): Promise<void> }>;
  readonly logger: { debug(details: object, message: string): void };
  readonly mostClients?: number;
}

/** Where other processes of this user bring their clients. */
export interface Doorway {
  readonly port: number;
  readonly token: string;
  clients(): number;
  /** Resolves when no client is left. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** Each editor window and each agent may have one. */
const MOST_CLIENTS = 100;
/** That have not proved themselves. */
const MOST_STRANGERS = 20;

/** Opens a port of loopback, any that is free. Rejects when there is none. */
export async function openDoorway(options: DoorwayOptions): Promise<Doorway> {
  const { welcome, serve, logger, mostClients = MOST_CLIENTS } = options;
  const token = randomBytes(32).toString('base64url');
  const strangers = new Set<Socket>();
  const clients = new Map<Socket, { close(): Promise<void> }>();
  const leavers = new Set<() => void>();

  const whyNot = (): string | null =>
    clients.size < mostClients
      ? null
      : `${mostClients} clients share the Switchboard process that owns the telephone already. Close one of them.`;

  async function receive(socket: Socket): Promise<void> {
    const hello = await greetRelay(socket, token, welcome, whyNot);
    strangers.delete(socket);
    clients.set(socket, { close: async () => undefined });
    const session = await serve(socket, hello);
    if (socket.destroyed) await session.close();
    else clients.set(socket, session);
    logger.debug({ pid: hello.pid, version: hello.version }, 'a client of another process has come');
  }

  const server: Server = createServer({ noDelay: true }, (socket) => {
    // The oldest goes: an honest one is through in milliseconds.
    const [oldest] = strangers;
    if (oldest && strangers.size >= MOST_STRANGERS) {
      strangers.delete(oldest);
      oldest.destroy();
    }
    strangers.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      strangers.delete(socket);
      void clients.get(socket)?.close();
      clients.delete(socket);
      if (clients.size === 0) for (const leave of leavers) leave();
    });
    receive(socket).catch((err: unknown) => {
      logger.debug({ err }, 'somebody at the door was not let in');
      // What was said to it last must still arrive.
      socket.destroySoon();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.on('error', (err) => logger.debug({ err }, 'the doorway reported an error'));
  return {
    port: (server.address() as AddressInfo).port,
    token,
    clients: () => clients.size,
    empty: () => new Promise((resolve) => (clients.size === 0 ? resolve() : leavers.add(resolve))),
    close: async () => {
      const sessions = [...clients.values()];
      server.close();
      await Promise.all(sessions.map((session) => session.close()));
      for (const socket of [...clients.keys(), ...strangers]) socket.destroySoon();
    },
  };
}

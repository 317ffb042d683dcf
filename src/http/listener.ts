/** What both listeners have in common: an HTTP server that starts, or says in a sentence why not, and stops within bounds. */
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ConfigError } from '../errors.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Names of the settings that the address comes from. */
  readonly settings: { readonly host: string; readonly port: string };
  /** How long `stop` waits for what is under way. */
  readonly stopTimeoutMs?: number;
  /** What else has to be closed before the server can be: open sockets. */
  readonly closing?: () => void;
}

export interface Listener {
  /** Rejects with a ConfigError that names the port when it cannot be had; may then be called again. */
  start(): Promise<{ readonly port: number }>;
  /** Closes the listener and its connections within `stopTimeoutMs`. Never rejects. */
  stop(): Promise<void>;
}

export function createListener(server: Server, options: ListenerOptions): Listener {
  const connections = new Set<Socket>();
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
  });
  return {
    start: () =>
      new Promise((resolve, reject) => {
        const failed = (error: NodeJS.ErrnoException): void => {
          server.off('listening', ready);
          reject(listenFailure(error, options));
        };
        const ready = (): void => {
          server.off('error', failed);
          resolve({ port: (server.address() as AddressInfo).port });
        };
        server.once('error', failed);
        server.once('listening', ready);
        server.listen(options.port, options.host);
      }),
    stop: () =>
      new Promise((resolve) => {
        const deadline = setTimeout(() => {
          for (const connection of connections) connection.destroy();
        }, options.stopTimeoutMs ?? 1_000);
        options.closing?.();
        server.close(() => {
          clearTimeout(deadline);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function listenFailure(error: NodeJS.ErrnoException, { host, port, settings: names }: ListenerOptions): ConfigError {
  const details = { cause: error, settings: [names.host, names.port] };
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError(
        `Port ${port} on ${host} is taken by another program. Stop that program, or set ${names.port} to a free one.`,
        details,
      );
    case 'EACCES':
      return new ConfigError(`This user may not listen on port ${port}. Set ${names.port} to one above 1023.`, details);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(
        `This machine has no address ${host}, so port ${port} cannot be opened there. Set ${names.host} to 127.0.0.1 or to an address of this machine.`,
        details,
      );
    default:
      return new ConfigError(
        `Port ${port} on ${host} cannot be opened. Check ${names.host} and ${names.port}.`,
        details,
      );
  }
}

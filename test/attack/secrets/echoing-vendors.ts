import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** Services that refuse a credential and repeat it, as some do, in every place where an answer can hold a text. */
export interface EchoingVendor {
  readonly port: number;
  /** How many have been refused. */
  refusals(): number;
  close(): Promise<void>;
}

/** A REST service like Twilio's: refuses, then fails, and each time tells whom it does not know. */
export async function startEchoingRest(): Promise<EchoingVendor> {
  let refused = 0;
  const server = createServer((request, response) => {
    request.resume();
    const status = [401, 400, 403][refused % 3] ?? 401;
    refused += 1;
    const message = `Authentication failed for ${credentialOf(request)} (${request.headers.authorization}), and I tell everybody`;
    response.writeHead(status, { 'content-type': 'application/json', 'x-refused': encodeURIComponent(message) });
    response.end(JSON.stringify({ code: 20003, message, more_info: message, status }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    refusals: () => refused,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A realtime service: repeats the key in an error event, in the reason of its close, and in the body of a refused upgrade, by turns. */
export async function startEchoingModel(): Promise<EchoingVendor> {
  let refused = 0;
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const key = (request.headers.authorization ?? '').replace('Bearer ', '');
    const message = `Incorrect API key provided: ${key}. ${JSON.stringify({ key })}`;
    refused += 1;
    if (refused % 2 === 0) {
      const body = JSON.stringify({ error: { code: key, message, param: key, type: key } });
      socket.end(
        `HTTP/1.1 401 ${encodeURIComponent(key)}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on('error', () => undefined);
      accepted.send(JSON.stringify({ type: key, event_id: key, item_id: key }));
      accepted.send(`not JSON: ${key}`);
      const error = { type: 'invalid_request_error', code: key, message, param: key, event_id: null };
      accepted.send(JSON.stringify({ type: 'error', event_id: key, error }));
      accepted.close(3000, key.slice(0, 120));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    refusals: () => refused,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function credentialOf(request: IncomingMessage): string {
  const [, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  return Buffer.from(encoded, 'base64').toString('utf8');
}

/** A manager on loopback that answers as a real Asterisk 22 did: from wire transcripts, with the ActionIDs of whoever asks. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export type Headers = readonly (readonly [key: string, value: string])[];

export interface RecordedManager {
  readonly port: number;
  /** Every action that came after the login. */
  readonly actions: Headers[];
  readonly connections: number;
  /** To every client. */
  emit(event: Headers): void;
  /** Cuts every connection, as a network does. */
  drop(): void;
  stop(): Promise<void>;
}

export interface ManagerOptions {
  /** Answers to an action: messages, in which `%ID%` stands for its ActionID. Null: none at all. */
  readonly answer?: (action: Headers) => readonly string[] | null;
  readonly secret?: string;
}

export const USER = { username: 'office', secret: 'recorded-secret' };
const CHALLENGE = '206162569';

export function transcript(name: string): string {
  return readFileSync(new URL(`./recorded/${name}.txt`, import.meta.url), 'utf8');
}

/** What the server sent, as it was on the wire. */
export function wireOf(name: string): string {
  const lines = transcript(name)
    .split('\n')
    .filter((line) => line.startsWith('S: '))
    .map((line) => line.slice(3));
  return lines.map((line) => `${line}\r\n`).join('');
}

/** The answers to the first action of a transcript, with a place for the ActionID. */
export function answersOf(name: string): readonly string[] {
  const id = /^C: ActionID: (.*)$/m.exec(transcript(name))?.[1] ?? '';
  return wireOf(name)
    .split('\r\n\r\n')
    .filter((message) => message.trim() !== '')
    .map((message) => message.replace(`ActionID: ${id}`, 'ActionID: %ID%'));
}

export const headerOf = (headers: Headers, key: string): string => headers.find(([name]) => name === key)?.[1] ?? '';

export async function startRecordedManager(options: ManagerOptions = {}): Promise<RecordedManager> {
  const sockets = new Set<Socket>();
  const actions: Headers[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.write('Asterisk Call Manager/11.0.0\r\n');
    let rest = '';
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8');
      for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
        const headers = headersOf(rest.slice(0, end));
        rest = rest.slice(end + 4);
        respond(socket, headers);
      }
    });
  });
  const respond = (socket: Socket, headers: Headers): void => {
    const id = headerOf(headers, 'ActionID');
    const send = (message: string): void => void socket.write(`${message.replaceAll('%ID%', id)}\r\n\r\n`);
    switch (headerOf(headers, 'Action')) {
      case 'Challenge':
        return send(`Response: Success\r\nActionID: %ID%\r\nChallenge: ${CHALLENGE}`);
      case 'Login': {
        const key = createHash('md5')
          .update(CHALLENGE + (options.secret ?? USER.secret))
          .digest('hex');
        if (headerOf(headers, 'Key') === key)
          return send('Response: Success\r\nActionID: %ID%\r\nMessage: Authentication accepted');
        send('Response: Error\r\nActionID: %ID%\r\nMessage: Authentication failed');
        return void socket.end();
      }
      default: {
        actions.push(headers);
        const answers = options.answer?.(headers) ?? (headerOf(headers, 'Action') === 'Ping' ? [PONG] : null);
        for (const message of answers ?? []) send(message);
      }
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    actions,
    get connections() {
      return connections;
    },
    emit: (event) => {
      for (const socket of sockets) socket.write(`${event.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const PONG = 'Response: Success\r\nActionID: %ID%\r\nPing: Pong\r\nTimestamp: 1795216000.000000';

function headersOf(text: string): Headers {
  return text.split('\r\n').map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
}

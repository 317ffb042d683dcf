import { createServer, type Server } from 'node:net';
import { AudioSocketLeg } from './audiosocket-leg.ts';
import type { DownlinkClock } from './downlink.ts';
import type { MediaLeg } from './leg.ts';

export interface AudioSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: DownlinkClock;
  /** The leg of the call with this id; whoever does not want it closes it. */
  readonly take: (leg: MediaLeg, uuid: string) => void;
  /** It cannot listen; that is tried again. */
  readonly failed: (error: Error) => void;
  readonly listening: () => void;
}

/** So long a connection may take to say which call it is. */
const ID_DEADLINE_MS = 3_000;
const MOST_UNKNOWN = 50;
/** An address may come up, and a port be given back, after us. */
const RETRY_MS = 15_000;

/** Nothing authenticates an AudioSocket but the id of its call: it belongs on loopback, or behind a firewall. */
export function startAudioSocketServer(options: AudioSocketOptions): { close(): void } {
  const { host, port, clock, take, failed, listening } = options;
  let cancelRetry = (): void => undefined;
  let unknown = 0;
  const server: Server = createServer((socket) => {
    if (unknown >= MOST_UNKNOWN) return void socket.destroy();
    unknown += 1;
    let isKnown = false;
    const cancel = clock.setTimer(() => socket.destroy(), ID_DEADLINE_MS);
    const known = (): void => {
      if (isKnown) return;
      isKnown = true;
      unknown -= 1;
      cancel();
    };
    socket.on('close', known);
    const leg: MediaLeg = new AudioSocketLeg(socket, clock, (uuid) => {
      known();
      take(leg, uuid);
    });
  });
  const listen = (): void => void server.listen(port, host);
  server.on('listening', listening);
  server.on('error', (error) => {
    // One connection that could not be taken is no end of listening.
    if (server.listening) return;
    failed(error);
    cancelRetry = clock.setTimer(listen, RETRY_MS);
  });
  listen();
  return {
    close: () => {
      cancelRetry();
      server.close();
    },
  };
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire that is listened to: everything that passes it is kept, each direction of each connection by itself. */
export interface Wiretap {
  readonly port: number;
  /** Where new connections lead, a port of this machine. */
  leadTo(port: number): void;
  /** What clients sent through it. */
  readonly toServer: () => Buffer;
  readonly toClient: () => Buffer;
  close(): Promise<void>;
}

export async function startWiretap(target = 0): Promise<Wiretap> {
  let leadsTo = target;
  const sockets = new Set<Socket>();
  const up: Buffer[][] = [];
  const down: Buffer[][] = [];
  const server = createServer((near) => {
    const far = connect(leadsTo, '127.0.0.1');
    const kept = { up: [] as Buffer[], down: [] as Buffer[] };
    up.push(kept.up);
    down.push(kept.down);
    for (const [from, to, into] of [
      [near, far, kept.up],
      [far, near, kept.down],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        into.push(bytes);
        to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => {
      leadsTo = port;
    },
    toServer: () => joined(up),
    toClient: () => joined(down),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One connection after the other, each from the start of a line. */
function joined(connections: readonly (readonly Buffer[])[]): Buffer {
  return Buffer.concat(connections.flatMap((chunks) => [...chunks, Buffer.from('\n')]));
}

/** The addresses that were asked for: the request lines of all HTTP requests, upgrades among them. */
export function addressesIn(wire: Buffer): Buffer {
  const lines = wire.toString('latin1').match(/^(GET|POST|PUT|DELETE|PATCH) \S+ HTTP\/1\.1/gm) ?? [];
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** Without the headers whose purpose is to carry a credential. */
export function withoutCredentials(wire: Buffer): Buffer {
  return Buffer.from(wire.toString('latin1').replace(/^(authorization|api-key): [^\r\n]*/gim, '$1:'), 'latin1');
}

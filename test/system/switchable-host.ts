import type { Carrier, MediaSocket } from '../../src/carriers/carrier.ts';
import { createPublicServer } from '../../src/http/server.ts';

/** A public listener whose carrier can be changed, as the telephone system knows one address only. */
export async function startSwitchableHost(shape: Carrier) {
  let carrier = shape;
  const sockets = new Set<MediaSocket>();
  const server = createPublicServer({
    host: '127.0.0.1',
    port: 0,
    healthProof: (nonce) => nonce,
    webhooks: [],
    sockets: shape.sockets.map(({ path }, index) => ({
      path,
      authorize: (request) => carrier.sockets[index]?.authorize(request) ?? { accept: false, status: 500 },
      connect: (socket, request) => {
        sockets.add(socket);
        carrier.sockets[index]?.connect(socket, request);
      },
    })),
  });
  const { port } = await server.start();
  return {
    url: `ws://127.0.0.1:${port}`,
    carry: (next: Carrier) => {
      carrier = next;
    },
    /** Breaks every media connection without a word. */
    dropStreams: () => {
      for (const socket of sockets) socket.terminate();
      sockets.clear();
    },
    stop: () => server.stop(),
  };
}

import type { Carrier } from '../../src/carriers/carrier.ts';
import { createPublicServer, type PublicServer } from '../../src/http/server.ts';

export interface HostedCarrier {
  readonly carrier: Carrier;
  readonly publicUrl: string;
  readonly server: PublicServer;
  stop(): Promise<void>;
}

/** Puts a carrier behind the real public listener on a free port, which the carrier is made with. */
export async function hostCarrier(
  make: (publicUrl: string) => Carrier,
  healthProof: (nonce: string) => string = (nonce) => nonce,
): Promise<HostedCarrier> {
  // The routes have to be there before the port is known; a second carrier lends their shape.
  const shape = make('http://127.0.0.1:9');
  let carrier = shape;
  const server = createPublicServer({
    host: '127.0.0.1',
    port: 0,
    healthProof,
    webhooks: shape.webhooks.map(({ method, path }, index) => ({
      method,
      path,
      handle: (request) =>
        carrier.webhooks[index]?.handle(request) ?? { status: 500, contentType: 'text/plain', body: '' },
    })),
    sockets: shape.sockets.map(({ path }, index) => ({
      path,
      authorize: (request) => carrier.sockets[index]?.authorize(request) ?? { accept: false, status: 500 },
      connect: (socket, request) => carrier.sockets[index]?.connect(socket, request),
    })),
  });
  const { port } = await server.start();
  const publicUrl = `http://127.0.0.1:${port}`;
  carrier = make(publicUrl);
  return {
    carrier,
    publicUrl,
    server,
    stop: async () => {
      carrier.close();
      await server.stop();
    },
  };
}

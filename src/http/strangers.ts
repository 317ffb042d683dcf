import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the connections that have proved nothing, so that they cannot take every file descriptor from the calls. Above `most`
 * the one goes that has been idle for longest: who wants to hold connections holds old ones, while an honest request is new and
 * over in milliseconds. Answers how a connection is taken off the list once it has proved who it is.
 */
export function limitStrangers(server: Server, most: number): (known: Socket) => void {
  // In the order of their latest request.
  const strangers = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    strangers.add(socket);
    socket.once('close', () => strangers.delete(socket));
    if (strangers.size <= most) return;
    for (const oldest of strangers) {
      strangers.delete(oldest);
      oldest.destroy();
      return;
    }
  });
  server.on('request', ({ socket }: { readonly socket: Socket }) => {
    if (strangers.delete(socket)) strangers.add(socket);
  });
  return (known) => strangers.delete(known);
}

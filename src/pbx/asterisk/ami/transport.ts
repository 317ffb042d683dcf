import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { UpstreamError } from '../../../errors.ts';

export interface AmiAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM of an authority of one's own, besides the system's. */
  readonly ca?: string | undefined;
}

/** One connection. `closed` resolves once, whatever ended it. */
export interface AmiTransport {
  /** @throws UpstreamError when Asterisk takes nothing any more */
  write(text: string): void;
  readonly closed: Promise<Error | null>;
  close(): void;
}

/** What Asterisk has not taken yet. Beyond it the peer is dead or drowning, and more would only grow here. */
const MOST_UNSENT_BYTES = 256 * 1024;

/** Resolves when connected (TLS: verified). Rejects with an UpstreamError. `receive` may throw: the connection is closed then. */
export function openTransport(
  address: AmiAddress,
  connectTimeoutMs: number,
  receive: (chunk: Buffer) => void,
): Promise<AmiTransport> {
  return new Promise((resolve, reject) => {
    const { host, port, tls, ca } = address;
    const socket: Socket = tls
      ? connectTls({ host, port, ...(isIp(host) ? {} : { servername: host }), ...(ca === undefined ? {} : { ca }) })
      : connect({ host, port });
    socket.setNoDelay(true);
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('timed out')));
    let failure: Error | null = null;
    socket.on('error', (error) => {
      failure = error;
    });
    const closed = new Promise<Error | null>((over) => socket.once('close', () => over(failure)));
    void closed.then((error) => reject(unreachable(address, error)));
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.setTimeout(0);
      socket.on('data', (chunk: Buffer) => {
        try {
          receive(chunk);
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      });
      resolve({
        closed,
        write(text) {
          if (socket.destroyed || socket.writableLength > MOST_UNSENT_BYTES)
            throw new UpstreamError('Asterisk does not take any more actions at the moment. Try again later.', {
              retryable: true,
            });
          socket.write(text);
        },
        close: () => socket.destroy(),
      });
    });
  });
}

function isIp(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}

function unreachable({ host, port, tls }: AmiAddress, cause: Error | null): UpstreamError {
  const code = (cause as { code?: string } | null)?.code ?? '';
  const ofTls = tls ? tlsTrouble(code, `${host}:${port}`) : null;
  const what =
    ofTls ??
    `Asterisk's manager at ${host}:${port} cannot be reached. Check AMI_HOST and AMI_PORT, that manager.conf has enabled = yes, and that the address of this machine is permitted there.`;
  return new UpstreamError(what, {
    retryable: ofTls === null,
    cause: cause ?? undefined,
    ...(code === '' ? {} : { code }),
  });
}

/** By the codes of Node and OpenSSL; null for what is not about TLS. */
function tlsTrouble(code: string, where: string): string | null {
  // An answer that is no TLS at all, such as the greeting of the plain port.
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST/.test(code))
    return `Asterisk's manager at ${where} cannot be reached: there is no TLS on this port. Set AMI_PORT to Asterisk's TLS port (tlsbindaddr in manager.conf, usually 5039), or AMI_TLS to false.`;
  if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code))
    return `Asterisk's manager at ${where} cannot be reached: the TLS certificate that it shows could not be verified. Set AMI_TLS_CA to the file of the authority that signed it, or connect by the name that it is for.`;
  if (/SSL|TLS/.test(code))
    return `Asterisk's manager at ${where} cannot be reached: TLS could not be agreed on. Check the TLS settings in manager.conf; 1.2 or later is needed.`;
  return null;
}

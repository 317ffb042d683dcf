import { Writable } from 'node:stream';

let claimed: Writable | null = null;

/**
 * Keeps stdout for the protocol: everything else that writes there (`console`, a library's banner) goes to stderr from now on.
 * Call it before anything is imported or started that might print. The stream that is returned is the only way left to the real
 * stdout; it fails with an `error` event (EPIPE) when the reader is gone. A second call returns the same stream.
 */
export function claimStdout(): Writable {
  if (claimed !== null) return claimed;
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  const protocol = new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, _encoding, done) => void write(chunk, done),
  });
  // Without listeners a reader that has gone would end the process before the live calls are ended.
  protocol.on('error', () => {});
  stdout.on('error', (error) => protocol.destroy(error));
  // A log that nobody reads is no mistake. Unheard, each failed line would be logged as one, which fails again, for ever.
  stderr.on('error', () => {});
  stdout.write = stderr.write.bind(stderr);
  claimed = protocol;
  return protocol;
}

import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Audio } from '../../../src/media/audio.ts';
import { AudioFrames } from '../../../src/models/openai/audio-frames.ts';

const ENVELOPE = { head: Buffer.from('{"type":"append","audio":"'), tail: Buffer.from('"}') };

/** A client's connection, and what its server receives. */
async function connected() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 1024 * 1024 });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
  });
  let connection: Socket | undefined;
  client.on('upgrade', (response) => {
    connection = response.socket;
  });
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [[WebSocket], unknown];
  onTestFinished(() => {
    client.terminate();
    server.close();
  });
  if (connection === undefined) throw new Error('There is no connection beneath the WebSocket.');
  const received: string[] = [];
  peer.on('message', (data, isBinary) => received.push(isBinary ? 'binary' : String(data)));
  return { client, connection, peer, received };
}

function sound(seed: number, bytes: number): Audio {
  return Audio.fromBytes(Uint8Array.from({ length: bytes }, (_, at) => (seed * 31 + at * 7) & 0xff));
}

function messageOf(audio: Audio): string {
  return `${ENVELOPE.head}${audio.base64()}${ENVELOPE.tail}`;
}

it('writes audio of any length as one text message, between those of ws', async () => {
  const { client, connection, peer, received } = await connected();
  const frames = new AudioFrames(ENVELOPE);
  const all = [160, 161, 162, 160, 80, 3_000, 40_000, 160].map((bytes, seed) => sound(seed, bytes));
  const expected: string[] = [];
  for (const audio of all) {
    expect(frames.write(connection, audio)).toBe(true);
    client.send('{"type":"other"}');
    expected.push(messageOf(audio), '{"type":"other"}');
  }
  client.close();
  await once(peer, 'close');
  expect(received).toEqual(expected);
});

it('leaves what is too short or too long for its form of a frame to ws', async () => {
  const { client, connection, peer, received } = await connected();
  const frames = new AudioFrames(ENVELOPE);
  expect(frames.write(connection, sound(1, 70))).toBe(false);
  expect(frames.write(connection, sound(1, 50_000))).toBe(false);
  client.close();
  await once(peer, 'close');
  expect(received).toEqual([]);
});

it('does not touch what the network has not taken yet', async () => {
  const { client, connection, peer, received } = await connected();
  const frames = new AudioFrames(ENVELOPE);
  peer.pause();
  const sent: string[] = [];
  for (let seed = 0; connection.writableLength < 256 * 1024 && seed < 20_000; seed += 1) {
    const audio = sound(seed, 1_600);
    frames.write(connection, audio);
    sent.push(messageOf(audio));
  }
  expect(connection.writableLength).toBeGreaterThan(0);
  peer.resume();
  client.close();
  await once(peer, 'close');
  expect(received.length).toBe(sent.length);
  expect(received.findIndex((text, at) => text !== sent[at])).toBe(-1);
});

it('masks every frame with a key of its own', async () => {
  const { connection } = await connected();
  const keys = new Set<string>();
  const spy = connection.write.bind(connection);
  connection.write = ((bytes: Buffer) => {
    keys.add(bytes.subarray(4, 8).toString('hex'));
    return spy(bytes);
  }) as typeof connection.write;
  const frames = new AudioFrames(ENVELOPE);
  for (let seed = 0; seed < 3_000; seed += 1) frames.write(connection, sound(seed, 160));
  expect(keys.size).toBeGreaterThan(2_990);
});

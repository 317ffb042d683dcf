import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decode, encode, FRAME_BYTES } from '../../../src/media/mulaw.ts';
import type { Callee } from '../../../src/simulator/callee/callee.ts';
import { type App, Bench, OUTSIDE, SILENT, WAITING } from './app.ts';

const bench = new Bench();
afterEach(() => bench.close());

const FRAME_PCM_BYTES = FRAME_BYTES * 2;
/** 100 ms of all codes but the second zero, which is no code of its own in PCM. */
const SPEECH = Uint8Array.from({ length: 5 * FRAME_BYTES }, (_, i) => ((i * 7) % 256 === 0x7f ? 0 : (i * 7) % 256));
const SPEECH_PCM = pcmOf(SPEECH);

function pcmOf(mulaw: Uint8Array): Buffer {
  return Buffer.from(decode(mulaw).buffer);
}

/** Says again what it hears, a frame later, and remembers it. */
class Parrot implements Callee {
  readonly heard: Uint8Array[] = [];
  readonly ticks: number[] = [];
  #last: Uint8Array | null = null;

  tick(heard: Uint8Array | null, atMs: number): { readonly spoken: Uint8Array | null } {
    const spoken = this.#last;
    this.#last = heard;
    this.ticks.push(atMs);
    if (heard !== null) this.heard.push(heard);
    return { spoken };
  }
}

interface Heard {
  readonly pieces: Buffer[];
  ended: 'no' | 'cleanly' | 'broken';
}

async function listenTo(app: App, path: string): Promise<Heard> {
  const heard: Heard = { pieces: [], ended: 'no' };
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${app.pbx.baseUrl}${path}`, { headers: app.headers }, resolve).on('error', reject).end();
  });
  expect(incoming.statusCode).toBe(200);
  incoming.on('data', (piece: Buffer) => heard.pieces.push(piece));
  incoming.on('end', () => {
    heard.ended = 'cleanly';
  });
  incoming.on('error', () => {
    heard.ended = 'broken';
  });
  return heard;
}

async function speakTo(app: App, path: string): Promise<ClientRequest> {
  const headers = { ...app.headers, 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' };
  const outgoing = request(`${app.pbx.baseUrl}${path}`, { method: 'POST', headers });
  outgoing.on('error', () => undefined);
  outgoing.flushHeaders();
  await once(outgoing, 'socket');
  return outgoing;
}

/** Chunks of that size, all in one write: Node’s own client would join them. */
function write(outgoing: ClientRequest, pcm: Buffer, chunkBytes: number): void {
  const parts: Buffer[] = [];
  for (let at = 0; at < pcm.byteLength; at += chunkBytes) {
    const chunk = pcm.subarray(at, at + chunkBytes);
    parts.push(Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  outgoing.socket?.write(Buffer.concat(parts));
}

async function connected(callee: Callee): Promise<{ readonly app: App; readonly id: number; readonly path: string }> {
  const app = await bench.app({ answer: () => ({ kind: 'answers', ringMs: 10, callee: () => callee }) });
  const id = await app.place(OUTSIDE);
  await app.until('8000', 'Connected');
  return { app, id, path: `/callcontrol/8000/participants/${id}/stream` };
}

describe('the audio of a call at the route point', () => {
  it('comes through both ways to the byte, over chunks that cut samples in half', async () => {
    const parrot = new Parrot();
    const { app, id, path } = await connected(parrot);
    const heard = await listenTo(app, path);
    const outgoing = await speakTo(app, path);
    const answered = new Promise<IncomingMessage>((resolve) => outgoing.on('response', resolve));
    write(outgoing, SPEECH_PCM, 333);
    await vi.waitFor(() => expect(Buffer.concat(heard.pieces).includes(SPEECH_PCM)).toBe(true), WAITING);
    expect(Buffer.concat(parrot.heard)).toEqual(Buffer.from(SPEECH));
    await app.act('8000', id, 'drop');
    await vi.waitFor(() => expect(heard.ended).toBe('cleanly'), WAITING);
    expect((await answered).statusCode).toBe(200);
    // Silence is sent as well, so all that came is whole frames.
    expect(Buffer.concat(heard.pieces).byteLength % FRAME_PCM_BYTES).toBe(0);
    expect(heard.pieces.some((piece) => piece.byteLength % 2 === 1)).toBe(true);
    expect(app.pbx.lostMs).toBe(0);
  });

  it('keeps every code but the second zero', () => {
    for (let code = 0; code < 256; code += 1)
      expect(encode(decode(Uint8Array.of(code)))[0]).toBe(code === 0x7f ? 0xff : code);
  });

  it('throws away what is more than 500 ms ahead, and counts it', async () => {
    const parrot = new Parrot();
    const { app, path } = await connected(parrot);
    write(await speakTo(app, path), Buffer.alloc(1_000 * 16, 1), 4_096);
    await vi.waitFor(() => expect(app.pbx.lostMs).toBeGreaterThan(0), WAITING);
    await vi.waitFor(() => expect(parrot.heard.length).toBeGreaterThanOrEqual(25), WAITING);
    expect(app.pbx.lostMs).toBeGreaterThan(400);
    expect(app.pbx.lostMs).toBeLessThanOrEqual(500);
  });

  it('runs by a clock of 20 ms that does not drift', async () => {
    const parrot = new Parrot();
    const before = performance.now();
    await connected(parrot);
    await vi.waitFor(() => expect(parrot.ticks.length).toBeGreaterThan(20), WAITING);
    expect(parrot.ticks).toEqual(parrot.ticks.map((_, i) => i * 20));
    expect(parrot.ticks.length * 20).toBeLessThanOrEqual(performance.now() - before + 20);
  });

  it('can be broken, and opened again while the call is up', async () => {
    const { app, path } = await connected(SILENT);
    const heard = await listenTo(app, path);
    app.pbx.dropStreams();
    await vi.waitFor(() => expect(heard.ended).toBe('broken'), WAITING);
    await app.until('8000', 'Connected');
    const again = await listenTo(app, path);
    await vi.waitFor(() => expect(again.pieces.length).toBeGreaterThan(2), WAITING);
    expect(Buffer.concat(again.pieces).every((byte) => byte === 0)).toBe(true);
  });

  it('is refused for other people’s extensions, before the answer, and for who is not there', async () => {
    const app = await bench.app({
      answer: (to) => (to === '100' ? { kind: 'answers', ringMs: 5, callee: () => SILENT } : { kind: 'never' }),
    });
    const id = await app.place(OUTSIDE);
    expect((await app.get(`/callcontrol/8000/participants/${id}/stream`)).status).toBe(422);
    const call = app.pbx.call({ to: '100', from: OUTSIDE, callee: () => SILENT });
    await app.until('100', 'Connected');
    expect((await app.get(`/callcontrol/100/participants/${call.participantId}/stream`)).status).toBe(424);
    expect((await app.get('/callcontrol/8000/participants/77/stream')).status).toBe(404);
    expect((await app.get('/callcontrol/103/participants/1/stream')).status).toBe(403);
  });
});

describe('a person on a call', () => {
  it('presses keys that only the app’s own calls are told of', async () => {
    const pressing = (): Callee => ({ tick: (_, atMs) => ({ spoken: null, ...(atMs === 40 ? { digit: '5' } : {}) }) });
    const { app, id } = await connected(pressing());
    await vi.waitFor(() => expect(app.told).toContain(`2 8000/${id}`), WAITING);
    expect(app.events.find((one) => one.event?.event_type === 2)?.event?.attached_data).toEqual({ dtmf_input: '5' });

    const last = new Parrot();
    const other = await bench.app({ answer: () => ({ kind: 'answers', ringMs: 5, callee: () => last }) });
    other.pbx.call({ to: '100', from: OUTSIDE, callee: pressing });
    await vi.waitFor(() => expect(last.ticks.length).toBeGreaterThan(4), WAITING);
    expect(other.told.some((one) => one.startsWith('2'))).toBe(false);
  });

  it('puts the receiver down, which ends the call', async () => {
    const { app } = await connected({ tick: (_, atMs) => ({ spoken: null, hangUp: atMs >= 60 }) });
    await app.until('8000');
    expect(app.pbx.liveCalls).toBe(0);
  });

  it('hears another person after having been handed over, and nobody while the target rings', async () => {
    const [frame, second] = [SPEECH.subarray(0, FRAME_BYTES), SPEECH.subarray(FRAME_BYTES, 2 * FRAME_BYTES)];
    const heardByCaller: Uint8Array[] = [];
    const caller: Callee = {
      tick: (heard) => {
        if (heard !== null) heardByCaller.push(heard);
        return { spoken: frame };
      },
    };
    const parrot = new Parrot();
    const app = await bench.app({ answer: () => ({ kind: 'answers', ringMs: 250, callee: () => parrot }) });
    const { participantId } = app.pbx.call({ to: '8000', from: OUTSIDE, callee: () => caller });
    await app.act('8000', participantId, 'answer');
    const path = `/callcontrol/8000/participants/${participantId}/stream`;
    const heard = await listenTo(app, path);
    const outgoing = await speakTo(app, path);
    write(outgoing, SPEECH_PCM, SPEECH_PCM.byteLength);
    await vi.waitFor(() => expect(heardByCaller).toContainEqual(second), WAITING);
    await vi.waitFor(() => expect(Buffer.concat(heard.pieces).includes(pcmOf(frame))).toBe(true), WAITING);

    await app.act('8000', participantId, 'transferto', { destination: '101' });
    const [toCaller, toApp] = [heardByCaller.length, heard.pieces.length + 3];
    write(outgoing, SPEECH_PCM, SPEECH_PCM.byteLength);
    await app.until('101', 'Connected');
    await vi.waitFor(() => expect(parrot.heard).toContainEqual(frame), WAITING);
    expect(heardByCaller.slice(toCaller)).not.toContainEqual(second);
    expect(heard.ended).toBe('cleanly');
    expect(Buffer.concat(heard.pieces.slice(toApp)).every((byte) => byte === 0)).toBe(true);
  });
});

/** The sound of calls at the app's route point, in both directions. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { decode } from '../../../src/media/mulaw.ts';
import type { ThreeCx } from '../../../src/pbx/threecx/operations.ts';
import type { Callee } from '../../../src/simulator/callee/callee.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { startNetwork } from './network.ts';
import { asked, clientOf, office } from './office.ts';

const SPOKEN = new Uint8Array(160).fill(0x55);
const PCM_FRAME_BYTES = 320;

/** Says one sound all the time, and keeps what it hears. */
function chatter(): { readonly heard: Uint8Array[]; readonly callee: () => Callee } {
  const heard: Uint8Array[] = [];
  return {
    heard,
    callee: () => ({
      tick(frame) {
        if (frame !== null) heard.push(frame);
        return { spoken: SPOKEN };
      },
    }),
  };
}

async function connected() {
  const { heard, callee } = chatter();
  const opened = await office({ simulated: { answer: () => ({ kind: 'answers', ringMs: 20, callee }) } });
  const { callControl } = opened.threecx;
  const { id } = await callControl.makeCall({ dn: '8000', destination: '+14155550123', timeoutSeconds: 20 });
  const deadline = Date.now() + 5_000;
  while ((await callControl.participant('8000', id))?.status !== 'Connected' && Date.now() < deadline);
  return { ...opened, id, atCallee: heard };
}

function hearing(threecx: ThreeCx, id: number, dn = '8000') {
  const pieces: Buffer[] = [];
  const told: (string | Error | null)[] = [];
  const stream = threecx.callControl.hear(dn, id, {
    opened: () => told.push('opened'),
    heard: (pcm) => pieces.push(pcm),
    ended: (error) => told.push(error),
  });
  return { pieces, told, stream };
}

function speaking(threecx: ThreeCx, id: number, dn = '8000') {
  const told: (string | Error | null)[] = [];
  const sink = threecx.callControl.speak(dn, id, {
    opened: () => told.push('opened'),
    ended: (error) => told.push(error),
  });
  return { told, sink };
}

describe('the sound of a call', () => {
  it('is heard without a gap as PCM, in whatever pieces it comes', async () => {
    const { threecx, id } = await connected();
    const { pieces, told } = hearing(threecx, id);
    await until(() => Buffer.concat(pieces).length > 10 * PCM_FRAME_BYTES);
    expect(told).toEqual(['opened']);
    const [sample] = decode(SPOKEN);
    const all = Buffer.concat(pieces);
    // It may begin in the midst of a frame, but not of a sample.
    const samples = Array.from({ length: 800 }, (_, at) => all.readInt16LE(at * 2));
    expect(new Set(samples)).toEqual(new Set([sample]));
  });

  it('is spoken as it is written', async () => {
    const { threecx, id, atCallee } = await connected();
    const { told, sink } = speaking(threecx, id);
    await until(() => told.length === 1);
    const pcm = Buffer.alloc(5 * PCM_FRAME_BYTES);
    const [sample = 0] = decode(SPOKEN);
    for (let at = 0; at < pcm.length; at += 2) pcm.writeInt16LE(sample, at);
    sink.write(pcm.subarray(0, 333));
    sink.write(pcm.subarray(333));
    await until(() => atCallee.flatMap((frame) => [...frame]).filter((code) => code === 0x55).length === 800);
    expect(sink.bufferedBytes).toBe(0);
    expect(told).toEqual(['opened']);
  });

  it('goes both ways at once, and a stream that was closed is over at that moment', async () => {
    const { threecx, id, pbx } = await connected();
    const ear = hearing(threecx, id);
    const mouth = speaking(threecx, id);
    await until(() => ear.pieces.length > 2 && mouth.told.length === 1);
    ear.stream.close();
    mouth.sink.close();
    const { length } = ear.pieces;
    mouth.sink.write(Buffer.alloc(320));
    ear.stream.close();
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(ear.pieces).toHaveLength(length);
    expect([ear.told, mouth.told]).toEqual([
      ['opened', null],
      ['opened', null],
    ]);
    // The call itself is still up, and can be listened to anew.
    expect(pbx.liveCalls).toBe(1);
    const again = hearing(threecx, id);
    await until(() => again.pieces.length > 0);
  });

  it('is really let go of when it is closed, on whatever network', async () => {
    const { pbx, id } = await connected();
    const network = await startNetwork(Number(new URL(pbx.baseUrl).port));
    const threecx = clientOf(pbx, { baseUrl: `http://127.0.0.1:${network.port}` });
    onTestFinished(async () => {
      threecx.close();
      await network.stop();
    });
    const ear = hearing(threecx, id);
    const mouth = speaking(threecx, id);
    await until(() => ear.pieces.length > 0 && mouth.told.length === 1 && network.open === 2);
    ear.stream.close();
    mouth.sink.close();
    await until(() => network.open === 0);
  });

  it('ends with the call, without a fault', async () => {
    const { threecx, id } = await connected();
    const ear = hearing(threecx, id);
    const mouth = speaking(threecx, id);
    await until(() => ear.pieces.length > 0 && mouth.told.length === 1);
    await threecx.callControl.act('8000', id, 'drop');
    await until(() => ear.told.length === 2 && mouth.told.length === 2);
    expect(ear.told[1]).toBeNull();
  });

  it('breaks with the network, which is told once', async () => {
    const { threecx, id, pbx } = await connected();
    const ear = hearing(threecx, id);
    const mouth = speaking(threecx, id);
    await until(() => ear.pieces.length > 0 && mouth.told.length === 1);
    pbx.dropStreams();
    await until(() => ear.told.length === 2 && mouth.told.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const told of [ear.told, mouth.told])
      expect(told).toEqual(['opened', expect.objectContaining({ name: 'UpstreamError', retryable: true })]);
  });

  it('is had with a fresh token when the old one is refused', async () => {
    const { threecx, id, pbx, atCallee } = await connected();
    pbx.revokeToken();
    const ear = hearing(threecx, id);
    await until(() => ear.pieces.length > 0);
    pbx.revokeToken();
    const mouth = speaking(threecx, id);
    await until(() => asked(pbx, 'POST', '/stream').length === 2);
    await until(() => {
      mouth.sink.write(Buffer.alloc(320, 0x10));
      return atCallee.length > 0;
    });
    expect([ear.told, mouth.told]).toEqual([['opened'], ['opened']]);
  });

  it('of an extension is not given, only of the route point', async () => {
    const { threecx } = await connected();
    await threecx.makeCall({ from: '100', to: '101', ringSeconds: 20 });
    const [call] = await threecx.callControl.participants('100');
    const ear = hearing(threecx, call?.id ?? 0, '100');
    const mouth = speaking(threecx, call?.id ?? 0, '100');
    await until(() => ear.told.length === 1 && mouth.told.at(-1) instanceof Error);
    expect(ear.told[0]).toMatchObject({ code: 'no-audio', message: expect.stringContaining('own route point') });
    expect(mouth.told.at(-1)).toMatchObject({ code: 'no-audio' });
  });

  it('of a call that is gone, or of a server that never answers, is told as an end', async () => {
    const { threecx, id, pbx } = await connected();
    const gone = hearing(threecx, 999);
    await until(() => gone.told.length === 1);
    expect(gone.told[0]).toMatchObject({ code: 'not-found' });
    await pbx.stop();
    const away = hearing(threecx, id);
    await until(() => away.told.length === 1);
    expect(away.told[0]).toMatchObject({ name: 'UpstreamError', retryable: true });
  });
});

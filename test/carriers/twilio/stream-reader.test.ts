import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStreamMessage, type StreamMessage, StreamReader } from '../../../src/carriers/twilio/stream.ts';

const SID = 'MZ0123456789abcdef0123456789abcdef';
const START = {
  event: 'start',
  sequenceNumber: '1',
  start: {
    streamSid: SID,
    accountSid: 'AC0123456789abcdef0123456789abcdef',
    callSid: 'CA0123456789abcdef0123456789abcdef',
    tracks: ['inbound'],
    customParameters: { token: 'token' },
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
  },
  streamSid: SID,
};

function startedReader(): StreamReader {
  const reader = new StreamReader();
  expect(reader.read(Buffer.from(JSON.stringify(START)), false)?.kind).toBe('start');
  return reader;
}

function comparable(message: StreamMessage | null): unknown {
  return message?.kind === 'media' ? { ...message, audio: message.audio.base64() } : message;
}

const number = fc.oneof(fc.nat(), fc.bigInt(0n, 10n ** 17n), fc.constantFrom('', '-1', '1.5', '007'));
const mark = fc
  .tuple(number, number, number)
  .map(
    ([at, one, two]) =>
      `{"event":"mark","sequenceNumber":"${at}","streamSid":"${SID}","mark":{"name":"g${one}:${two}"}}`,
  );
const media = fc
  .tuple(number, number, fc.uint8Array({ minLength: 0, maxLength: 40 }))
  .map(
    ([at, ms, bytes]) =>
      `{"event":"media","sequenceNumber":"${at}","media":{"track":"inbound","chunk":"${at}","timestamp":"${ms}","payload":"${Buffer.from(bytes).toString('base64')}"},"streamSid":"${SID}"}`,
  );

/** Something cut out, something put in, outside of the stream's id. */
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  out: fc.nat(3),
  put: fc.constantFrom('', '"', ':', '0', 'g', '}', ' ', ',"x":1', '\\u0031'),
});

function damaged(text: string, { at, out, put }: { at: number; out: number; put: string }): string {
  const from = Math.floor(at * text.length);
  const sidAt = text.lastIndexOf(SID);
  if (from + out > sidAt && from <= sidAt + SID.length) return text;
  return text.slice(0, from) + put + text.slice(from + out);
}

describe('a frame of a stream that is cut out by position', () => {
  it('reads as it does by the parser, whole or damaged', () => {
    fc.assert(
      fc.property(fc.oneof(mark, media), fc.array(damage, { maxLength: 2 }), (text, damages) => {
        const sent = damages.reduce(damaged, text);
        const read = startedReader().read(Buffer.from(sent), false);
        expect(comparable(read)).toEqual(comparable(parseStreamMessage(sent, SID)));
      }),
      { numRuns: 5_000 },
    );
  });

  it('is a mark of ours with its two numbers', () => {
    const text = `{"event":"mark","sequenceNumber":"4","streamSid":"${SID}","mark":{"name":"g12:345"}}`;
    expect(startedReader().read(Buffer.from(text), false)).toEqual({ kind: 'mark', generation: 12, markId: 345 });
  });

  it('is nothing when it names another stream', () => {
    const text = `{"event":"mark","sequenceNumber":"4","streamSid":"${SID.slice(0, -1)}0","mark":{"name":"g1:3"}}`;
    expect(startedReader().read(Buffer.from(text), false)).toBeNull();
  });
});

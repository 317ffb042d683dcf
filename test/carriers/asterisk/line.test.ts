/** What the line of a call makes of what Asterisk and the agent do. */
import { afterEach, describe, expect, it } from 'vitest';
import type { IncomingCall } from '../../../src/carriers/asterisk/carrier.ts';
import { Audio } from '../../../src/media/audio.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { GOOD, openTelephones, type Telephones, type TelephonesOptions } from './telephones.ts';

const speech = Audio.fromBytes(Buffer.alloc(1_600, 0x55));
const opened: Telephones[] = [];
afterEach(() => {
  for (const { carrier } of opened.splice(0)) carrier.close();
});
function open(options: TelephonesOptions = {}, taken?: (call: IncomingCall) => void): Telephones {
  const telephones = openTelephones(options, taken);
  opened.push(telephones);
  return telephones;
}

describe('a call that comes in over chan_websocket', () => {
  function ringing() {
    const calls: IncomingCall[] = [];
    const telephones = open({}, (call) => calls.push(call));
    const socket = telephones.connect('?uniqueid=1.1&caller=1005&called=7001');
    socket.start();
    return { telephones, socket, ...telephones.call(calls[0]?.carrier) };
  }

  it('rings until the agent speaks, and is answered with its first word', () => {
    const { socket, line, events } = ringing();
    expect(socket.commands).toEqual([]);
    expect(events).toContainEqual({ type: 'carrier.streamStarted', epoch: 1 });
    expect(events).toContainEqual({ type: 'carrier.progressed', status: 'ringing', source: 'webhook' });
    line.play(speech);
    line.play(speech);
    expect(socket.commands).toEqual(['ANSWER']);
    expect(socket.bytes).toBe(3_200);
    expect(events.at(-1)).toEqual({ type: 'carrier.progressed', status: 'answered', source: 'webhook' });
  });

  it('goes on in the dial plan when the agent could not say a word', async () => {
    const { telephones, socket, line, events } = ringing();
    line.redirect({ plan: 'say', language: 'en', text: 'There is a problem.' });
    line.hangUp();
    await until(() => events.some(({ type }) => type === 'carrier.hungUp'));
    expect(events).toContainEqual({ type: 'carrier.redirected', outcome: 'failed' });
    expect(events).toContainEqual({ type: 'carrier.hungUp', outcome: 'done' });
    expect(socket.commands).toEqual(['HANGUP']);
    expect(telephones.done).toEqual([]);
  });

  it('is put down by the manager once it was answered', async () => {
    const { telephones, line, events } = ringing();
    line.play(speech);
    line.hangUp();
    await until(() => events.some(({ type }) => type === 'carrier.hungUp'));
    expect(telephones.done).toEqual(['hang up']);
  });
});

describe('a call that was placed', () => {
  it('can be put down although nobody said that it was taken on: its audio came', async () => {
    const telephones = open({ accepts: false });
    const { line, events } = telephones.call();
    expect(events).toEqual([]);
    const ref = `?ref=${telephones.asked[0]?.ref}`;
    expect(telephones.door(ref, GOOD)).toEqual({ accept: true });
    telephones.connect(ref).start();
    expect(events[0]).toEqual({ type: 'carrier.bound', carrierCallId: telephones.asked[0]?.uniqueId });
    line.hangUp();
    await until(() => events.some(({ type }) => type === 'carrier.hungUp'));
    expect(telephones.done).toEqual(['hang up']);
  });

  it('lets Asterisk try its audio once more when the first try ended before it began, and never after that', () => {
    const telephones = open();
    const { events } = telephones.call();
    const ref = `?ref=${telephones.asked[0]?.ref}`;
    expect(telephones.door(ref, GOOD)).toEqual({ accept: true });
    telephones.connect(ref).closes(1006);
    expect(telephones.door(ref, GOOD)).toEqual({ accept: true });
    const second = telephones.connect(ref);
    second.start();
    expect(events).toContainEqual({ type: 'carrier.streamStarted', epoch: 1 });
    second.closes(1006);
    expect(telephones.door(ref, GOOD)).toEqual({ accept: false, status: 403 });
  });

  it('presses the keys of two sends one after the other', async () => {
    const telephones = open({ digitsTakeMs: 2 });
    const { line, events } = telephones.call();
    line.sendDigits?.('12');
    line.sendDigits?.('34#');
    await until(() => events.filter(({ type }) => type === 'carrier.digitsSent').length === 2);
    expect(telephones.done).toEqual(['1', '2', '3', '4', '#']);
  });
});

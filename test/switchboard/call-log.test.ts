import { expect, it } from 'vitest';
import type { CallId } from '../../src/call/words.ts';
import { logCall } from '../../src/switchboard/call-log.ts';

it('an entry of the timeline is logged with its figures and codes, and without what anybody said', () => {
  const lines: object[] = [];
  const write = (fields: object, message: string): void => void lines.push({ ...fields, message });
  const log = logCall('call-1' as CallId, { debug: write, info: write, warn: write, error: write });
  const words = 'We are closed on Fridays.';
  const notes = [
    ['interrupted', { itemId: 'item_1', heardMs: 900, receivedMs: 2_000, heard: words, planned: words }],
    ['digit', { digit: '7' }],
    ['status', { status: 'failed', source: 'webhook', code: '486' }],
    ['tool', { name: words.repeat(3), outdated: false }],
    ['refused', { code: '21211', reason: '+14155550123 is no number.' }],
  ] as const;
  for (const [kind, data] of notes) log.command?.({ type: 'scribe.note', kind, data }, 0, undefined);
  expect(lines).toEqual([
    { callId: 'call-1', note: 'interrupted', heardMs: 900, receivedMs: 2_000, message: 'call went on' },
    { callId: 'call-1', note: 'digit', message: 'call went on' },
    { callId: 'call-1', note: 'status', status: 'failed', source: 'webhook', code: '486', message: 'call went on' },
    { callId: 'call-1', note: 'tool', message: 'call went on' },
    { callId: 'call-1', note: 'refused', code: '21211', message: 'call is in trouble' },
  ]);
});

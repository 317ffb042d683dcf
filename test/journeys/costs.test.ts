import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { costOf } from '../../src/call/cost.ts';
import { PRICES } from '../../src/call/prices.ts';
import { type CallId, NO_USAGE } from '../../src/call/words.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations/migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { createCosts } from '../../src/switchboard/costs.ts';
import { newCall, newLine } from '../fixtures/calls.ts';
import { type Office, openOffice } from './office.ts';
import { processes } from './process.ts';
import { AGREES } from './short-calls.ts';

const logger = pino({ level: 'silent' });
const folders: string[] = [];
const offices: Office[] = [];
const { start, later, cleanUp } = processes();

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'switchboard-costs-'));
  folders.push(path);
  return path;
}

async function open(): Promise<Office> {
  const office = await openOffice({ scenario: 'reservation', script: AGREES, ringMs: 100 });
  offices.push(office);
  return office;
}

afterEach(async () => {
  await cleanUp();
  for (const office of offices.splice(0)) await office.close();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

it('counts a live call up to now, and keeps what it cost in the end, as the models were billed and the minutes rounded up', async () => {
  const { switchboard, place, ended } = await open();
  const callId = await place();
  for (let cursor = 0; ; ) {
    const progress = await switchboard.waitFor(callId, { cursor, timeoutMs: 20_000 });
    cursor = progress.cursor;
    if (progress.call.state === 'answered' && progress.lines.length > 0) break;
  }
  const [live] = (await switchboard.calls({ limit: 1 })).calls;
  expect(live?.state).toBe('answered');
  expect(live?.cost?.parts).toMatchObject({ carrier: 0.014, stream: 0.0044 });

  const call = await ended(callId);
  expect(call.usage.outputAudioTokens).toBeGreaterThan(0);
  expect(call.usage.transcribedMs).toBeGreaterThan(0);
  const talkedMs = (call.endedAtMs ?? 0) - (call.answeredAtMs ?? 0);
  expect(call.cost).toEqual(
    costOf(
      {
        model: 'gpt-realtime-2.1',
        transcriptionModel: 'gpt-transcribe',
        usage: call.usage,
        carrier: 'twilio',
        direction: 'outbound',
        country: 'US',
        carrierSeconds: talkedMs / 1_000,
      },
      PRICES,
    ),
  );
  expect(call.cost?.complete).toBe(true);
  expect(call.cost?.amount).toBeGreaterThan(live?.cost?.amount ?? 1);
});

it('tells the figure in the list, the parts in the details, and of wrong prices in a sentence that stops no call', async () => {
  const dataDir = folder();
  const file = join(dataDir, 'prices.json');
  writeFileSync(file, '{"dated": "2026-11-20", "models": {"gpt-realtime-2.1": {"audioOut": 3}}}');
  const server = await start({ args: ['--simulate', '--data-dir', dataDir, '--prices-file', file] });
  const placed = await server.tool('trigger-call', {
    toNumber: '+14155550123',
    callContext: 'Book a table for four on Friday at seven, under the name Carter.',
  });
  expect(placed.isError).toBe(false);
  expect(placed.text).toMatch(/Notice: PRICES_FILE .* names "audioOut" in models\.gpt-realtime-2\.1/);
  const callId = String(placed.data.callId);
  await server.tool('end-call', { callId, mode: 'now' });
  await server.follow(callId);
  const detailed = await server.tool('get-call', { callId, detail: 'detailed' });
  const { cost } = detailed.data.details as { cost: { amount: number; parts: object; pricesDated: string | null } };
  expect(Object.keys(cost.parts)).toEqual(['model', 'transcription', 'carrier', 'stream', 'recording']);
  expect(detailed.data).toMatchObject({ costUsd: cost.amount, costComplete: true });
  const { data } = await server.tool('list-calls', {});
  expect(data.calls).toEqual([expect.objectContaining({ callId, costUsd: cost.amount })]);
}, 40_000);

it('does not rewrite what a call has cost when the prices change', async () => {
  const dataDir = folder();
  const store = later(await openSqliteStore({ dataDir }));
  const wall = () => 1_700_000_060_000;
  const dear = { ...PRICES, models: { 'gpt-realtime-2.1': { dated: '2027-01-01', audioOutput: 1_000_000 } } };
  const call = newCall({ carrier: 'twilio' });
  await store.createCall(call);
  await store.addUsage(call.callId, { ...NO_USAGE, outputAudioTokens: 100 });
  const cost = costOf({ ...call, usage: NO_USAGE, direction: 'outbound', country: 'US', carrierSeconds: 5 }, PRICES);
  await store.updateCall(call.callId, { state: 'ended', outcome: 'completed', cost });
  await store.updateCall(call.callId, { cost: { ...cost, amount: 9 } });
  const record = await store.call(call.callId);
  if (record === null) throw new Error('The call is not there.');
  expect((await createCosts({ prices: dear, store, clock: { wall }, logger }).withCost(record)).cost).toEqual(cost);
});

it('takes over a store from before costs were kept, and says of its calls what is not known', async () => {
  const dataDir = folder();
  const old = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
  old.exec(MIGRATIONS.slice(0, 1).join(''));
  old.exec(`INSERT INTO calls (call_id, lease_id, fingerprint, carrier, to_number, context, language, voice, simulated, state, outcome,
      created_at_ms, answered_at_ms, ended_at_ms)
    VALUES ('old', 'gone', 'print', 'twilio', '+14155550123', 'Book a table.', 'en', 'sage', 0, 'ended', 'completed', 1000, 2000, 63000);
    INSERT INTO usage VALUES ('old', 1, 2, 3, 4, 5, 6); PRAGMA user_version = 1;`);
  old.close();
  const store = later(await openSqliteStore({ dataDir }));
  const record = await store.call('old' as CallId);
  if (record === null) throw new Error('The call is gone.');
  expect(await store.usage(record.callId)).toMatchObject({ outputAudioTokens: 6, transcribedMs: 0 });
  const { cost } = await createCosts({ prices: PRICES, store, clock: { wall: () => 0 }, logger }).withCost(record);
  // Two minutes begun of the line and of the stream; which model it was is not known.
  expect(cost).toMatchObject({ amount: 0.0368, complete: false, parts: { model: null } });
  expect(cost?.why.at(-1)).toMatch(/before costs were written down/);
});

it('counts what the carrier records, where it does', () => {
  const costs = createCosts({ prices: PRICES, store: {} as Store, clock: { wall: () => 0 }, logger });
  const model = { billed: { model: 'gpt-realtime-2.1', transcriptionModel: null } };
  const used = { usage: NO_USAGE, talkedMs: 61_000, outcome: 'completed' } as const;
  const recording = (keepsRecordings: boolean, record: boolean) =>
    costs.atEnd({ carrier: { name: 'twilio', keepsRecordings }, brief: { to: '+14155550123', record }, model }, used)
      .parts.recording;
  expect([recording(true, true), recording(true, false), recording(false, true)]).toEqual([0.005, 0, 0]);
});

it('counts a call whose process died by its transcript, and says that it is no more than that', async () => {
  const store = later(await openSqliteStore({ dataDir: folder() }));
  const costs = createCosts({ prices: PRICES, store, clock: { wall: () => 1_700_099_000_000 }, logger });
  const call = newCall({ carrier: 'twilio' });
  await store.createCall(call);
  await store.putLine(call.callId, newLine(0, { endMs: 61_000 }));
  // Found a day later.
  const times = { answeredAtMs: 1_700_000_001_000, endedAtMs: 1_700_086_400_000 };
  await store.updateCall(call.callId, { ...times, state: 'ended', outcome: 'error' });
  await costs.settle(call.callId);
  const record = await store.call(call.callId);
  expect(record?.cost).toMatchObject({ amount: 0.0368, complete: false, why: [expect.stringMatching(/stopped/)] });
});

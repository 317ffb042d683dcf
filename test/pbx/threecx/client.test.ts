/** The live calls over an events socket that breaks, lies and goes silent. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CallControlEvent } from '../../../src/pbx/threecx/call-control.ts';
import type { ThreeCx } from '../../../src/pbx/threecx/operations.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { startNetwork } from './network.ts';
import { asked, clientOf, faster, office, silent } from './office.ts';

function listen(threecx: ThreeCx): { readonly events: CallControlEvent[]; readonly statuses: string[] } {
  const events: CallControlEvent[] = [];
  const statuses: string[] = [];
  threecx.callControl.onEvent((event) => events.push(event));
  threecx.callControl.onStatus((status) => statuses.push(status));
  return { events, statuses };
}
const caller = { from: '+14155550123', name: 'Robin Example', callee: silent };
async function callsAt(threecx: ThreeCx, dn: string): Promise<readonly string[]> {
  const state = await threecx.callControl.state();
  return state.find((one) => one.dn === dn)?.participants.map((one) => one.status) ?? ['not listed'];
}

describe('the live calls', () => {
  it('are what the app may see, and follow each call from its first ring to its end', async () => {
    const { pbx, threecx } = await office();
    const { events } = listen(threecx);
    await threecx.callControl.ready();
    expect((await threecx.callControl.state()).map((one) => one.dn)).toEqual(['100', '101', '102', '104', '8000']);
    const call = pbx.call({ to: '100', ...caller });
    await until(() => events.length === 1);
    expect(events[0]).toMatchObject({
      kind: 'participant',
      participant: {
        dn: '100',
        status: 'Ringing',
        partyNumber: '+14155550123',
        partyName: 'Robin Example',
        directControl: true,
      },
    });
    expect(await callsAt(threecx, '100')).toEqual(['Ringing']);
    call.hangUp();
    await until(() => events.at(-1)?.kind === 'gone');
    expect(events.at(-1)).toEqual({ kind: 'gone', dn: '100', participantId: call.participantId });
    expect(await callsAt(threecx, '100')).toEqual([]);
  });

  it('that ring already when the connection comes about are told of', async () => {
    const { pbx, threecx } = await office();
    pbx.call({ to: '8000', ...caller });
    const { events } = listen(threecx);
    await threecx.callControl.ready();
    expect(events).toMatchObject([{ kind: 'participant', participant: { dn: '8000', status: 'Ringing' } }]);
  });

  it.each([
    ['an event is lost and leaves a gap', (pbx: Pbx) => pbx.skipSequence()],
    ['an event comes as null', (pbx: Pbx) => Object.assign(pbx.faults, { nullEvents: 1 })],
  ])('are looked at again when %s', async (_, harm) => {
    const { pbx, threecx } = await office();
    await threecx.callControl.ready();
    const { events } = listen(threecx);
    pbx.call({ to: '101', ...caller });
    await until(() => events.length === 1);
    harm(pbx);
    pbx.call({ to: '100', ...caller });
    pbx.call({ to: '104', ...caller });
    await until(() => events.length === 3);
    expect(asked(pbx, 'GET', /callcontrol$/).length).toBeGreaterThan(1);
    expect([await callsAt(threecx, '100'), await callsAt(threecx, '104')]).toEqual([['Ringing'], ['Ringing']]);
  });

  it('are looked at again after a while, as the last event before a quiet hour may be lost without a gap', async () => {
    const { pbx, threecx } = await office({ settings: { clock: faster(100) } });
    await threecx.callControl.ready();
    const { events } = listen(threecx);
    const call = pbx.call({ to: '100', ...caller });
    await until(() => events.length === 1);
    pbx.skipSequence();
    call.hangUp();
    await until(() => events.at(-1)?.kind === 'gone');
  });

  it('are not confused by an event of a participant that is gone when it is asked for', async () => {
    const { pbx, threecx } = await office();
    await threecx.callControl.ready();
    pbx.faults.ghostEvents = 1;
    const { events } = listen(threecx);
    pbx.call({ to: '100', ...caller });
    await until(() => events.some((event) => event.kind === 'participant'));
    expect(await callsAt(threecx, '100')).toEqual(['Ringing']);
  });

  it('are told of once, however often 3CX does', async () => {
    const { pbx, threecx } = await office();
    await threecx.callControl.ready();
    pbx.faults.duplicateEvents = true;
    const { events } = listen(threecx);
    await threecx.makeCall({ from: '100', to: '101', ringSeconds: 20 });
    await until(() => events.length >= 4);
    await quiet();
    expect(
      events.map((event) => event.kind === 'participant' && [event.participant.dn, event.participant.status]),
    ).toEqual(
      expect.arrayContaining([
        ['100', 'Dialing'],
        ['101', 'Ringing'],
        ['100', 'Connected'],
        ['101', 'Connected'],
      ]),
    );
    expect(events).toHaveLength(4);
  });

  it('are there again after the connection broke, with what has happened meanwhile', async () => {
    const { pbx, threecx } = await office();
    await threecx.callControl.ready();
    const before = pbx.call({ to: '100', ...caller });
    const { events, statuses } = listen(threecx);
    await until(() => events.length === 1);
    pbx.dropEvents();
    before.hangUp();
    pbx.call({ to: '104', ...caller });
    await until(() => statuses.length === 2, 8_000);
    expect(statuses).toEqual(['disconnected', 'connected']);
    expect(events.slice(1)).toMatchObject([
      { kind: 'gone', dn: '100' },
      { kind: 'participant', participant: { dn: '104' } },
    ]);
  });

  it('of a list of one are that one', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.oneRowAsObject = true;
    pbx.call({ to: '100', ...caller });
    expect(await threecx.callControl.participants('100')).toHaveLength(1);
    expect(await threecx.callControl.devices('100')).toHaveLength(1);
    expect(await threecx.callControl.devices('102')).toEqual([]);
  });
});

type Pbx = Awaited<ReturnType<typeof office>>['pbx'];

describe('the events socket', () => {
  it.each(['http-401', 'close-1008'] as const)('is opened again at once with a fresh token after %s', async (how) => {
    const { pbx, threecx } = await office();
    pbx.faults.refuseEvents = { how, times: 1 };
    const sinceMs = performance.now();
    await threecx.callControl.ready();
    expect(performance.now() - sinceMs).toBeLessThan(1_500);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(2);
    expect(asked(pbx, 'GET', '/callcontrol/ws')).toHaveLength(2);
  });

  it.each(['http-401', 'close-1008'] as const)(
    'is not opened in a loop when it is always refused (%s)',
    async (how) => {
      const { pbx, threecx } = await office();
      pbx.faults.refuseEvents = { how, times: 99 };
      // One that is closed right after it was opened may look well for a moment.
      await threecx.callControl
        .ready()
        .catch((error: unknown) => expect(error).toMatchObject({ name: 'UpstreamError' }));
      await quiet(1_200);
      expect(asked(pbx, 'GET', '/callcontrol/ws').length).toBeLessThan(6);
      pbx.faults.refuseEvents = { how, times: 0 };
      await until(() => threecx.callControl.isConnected, 8_000);
      await threecx.callControl.ready();
    },
  );

  it('is not tried again all the time with a login that 3CX refuses, as that may lock this machine out', async () => {
    const { pbx, threecx } = await office();
    const clock = { ...faster(100), now: () => systemClock.now() * 100 };
    const mistaken = clientOf(pbx, { clientSecret: 'not-the-secret', clock });
    onTestFinished(() => mistaken.close());
    await expect(mistaken.callControl.ready()).rejects.toMatchObject({ name: 'ConfigError' });
    await quiet(400);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(1);
    await until(() => asked(pbx, 'POST', '/connect/token').length === 2);
    expect(threecx.callControl.isConnected).toBe(false);
  });

  it('is of no use when the calls cannot be listed, and who waits hears why', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: /\/callcontrol$/, times: 99, how: { kind: 'status', status: 403 } }];
    await expect(threecx.callControl.ready()).rejects.toThrow(/3CX does not let this app do that/);
    expect(threecx.callControl.isConnected).toBe(false);
    await expect(threecx.callControl.ready()).rejects.toThrow(/3CX does not let this app do that/);
  });

  it('whose other side has gone without a word is given up and opened anew', async () => {
    const { pbx, threecx } = await office();
    threecx.close();
    const network = await startNetwork(Number(new URL(pbx.baseUrl).port));
    const client = clientOf(pbx, { baseUrl: `http://127.0.0.1:${network.port}`, clock: faster(20) });
    onTestFinished(async () => {
      client.close();
      await network.stop();
    });
    await client.callControl.ready();
    const { statuses } = listen(client);
    network.freeze();
    await until(() => statuses.length === 2, 8_000);
    expect(statuses).toEqual(['disconnected', 'connected']);
  });

  it('stays closed when it was closed', async () => {
    const { pbx, threecx } = await office();
    await threecx.callControl.ready();
    threecx.close();
    await quiet(700);
    expect(threecx.callControl.isConnected).toBe(false);
    expect(asked(pbx, 'GET', '/callcontrol/ws')).toHaveLength(1);
    await expect(threecx.callControl.ready()).rejects.toThrow(/has been closed/);
  });
});

/** For what must not happen. */
function quiet(ms = 250): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

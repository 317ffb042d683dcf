import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_OFFICE } from '../../../src/simulator/threecx/office.ts';
import { Bench, OUTSIDE, SILENT, WAITING } from './app.ts';

const bench = new Bench();
afterEach(() => bench.close());

const answers = (ringMs: number) => () => ({ kind: 'answers' as const, ringMs, callee: () => SILENT });
const never = () => ({ kind: 'never' as const });

describe('what the app sees', () => {
  it('is its route point and the extensions that are listed for it', async () => {
    const app = await bench.app();
    const { body } = await app.get('/callcontrol');
    expect(body).toMatchObject([
      { dn: '100', type: 'Wextension', devices: [{ dn: '100' }], participants: [] },
      { dn: '101' },
      { dn: '102', devices: [] },
      { dn: '104' },
      { dn: '8000', type: 'Wroutepoint', devices: [] },
    ]);
    expect((await app.get('/callcontrol/103')).status).toBe(403);
    expect((await app.get('/callcontrol/999')).status).toBe(404);
    expect((await app.get('/callcontrol/100/participants/5')).status).toBe(404);
    expect((await app.get('/callcontrol/100/nonsense')).status).toBe(404);
  });

  it('shows a device by its encoded id', async () => {
    const app = await bench.app();
    const [device] = Object((await app.get('/callcontrol/101/devices')).body);
    const path = `/callcontrol/101/devices/${encodeURIComponent(device.device_id)}`;
    expect(device.device_id).toMatch(/^sip:101@127\.0\.0\.1:\d+$/);
    expect(await app.get(path)).toEqual({ status: 200, body: device });
    expect((await app.get(`${path}9`)).status).toBe(404);
    expect(await app.send('POST', `${path}/makecall`, { destination: OUTSIDE })).toMatchObject({
      status: 200,
      body: { finalstatus: 'Success', result: { dn: '101', device_id: device.device_id, party_caller_id: OUTSIDE } },
    });
  });
});

describe('a call that the app makes', () => {
  it('is at the telephone of the extension that was asked to make it', async () => {
    const [ada, ...others] = DEFAULT_OFFICE;
    const app = await bench.app({ extensions: ada === undefined ? others : [{ ...ada, hasApp: true }, ...others] });
    const devices: readonly { device_id: string }[] = Object((await app.get('/callcontrol/100/devices')).body);
    expect(devices).toHaveLength(2);
    for (const { device_id } of devices) {
      const path = `/callcontrol/100/devices/${encodeURIComponent(device_id)}/makecall`;
      expect(await app.send('POST', path, { destination: '101' })).toMatchObject({ body: { result: { device_id } } });
    }
  });

  it('is dialling, is connected when it is answered, and is gone when it is dropped, each told once and in order', async () => {
    const app = await bench.app({ answer: answers(30) });
    const placed = await app.send('POST', '/callcontrol/8000/makecall', { destination: '101', timeout: 20 });
    expect(placed).toMatchObject({
      status: 200,
      body: {
        finalstatus: 'Success',
        reason: 'None',
        reasontext: '',
        result: { status: 'Dialing', dn: '8000', party_dn: '101', party_dn_type: 'Wextension', callid: 1 },
      },
    });
    const [mine] = await app.until('8000', 'Connected');
    const [theirs] = await app.until('101', 'Connected');
    expect(theirs).toMatchObject({ party_dn: '8000', direct_control: false });
    expect((await app.act('8000', mine?.id ?? 0, 'drop')).body).toMatchObject({ finalstatus: 'Success' });
    expect(await app.participants('8000')).toEqual([]);
    expect((await app.act('8000', mine?.id ?? 0, 'drop')).status).toBe(404);
    await vi.waitFor(() => expect(app.events).toHaveLength(6), WAITING);
    expect(app.told).toEqual(['0 8000/1', '0 101/2', '0 8000/1', '0 101/2', '1 8000/1', '1 101/2']);
    expect(app.events.map((one) => one.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(app.events.every((one) => one.event?.attached_data === null)).toBe(true);
    expect(app.pbx.liveCalls).toBe(0);
  });

  it('disappears just the same when it is busy, fails, or is not answered in time', async () => {
    const app = await bench.app({
      answer: (to) => (to === '100' ? never() : { kind: to === '101' ? 'busy' : 'fails', ringMs: 20 }),
    });
    for (const [to, seconds] of [
      ['101', 5],
      [OUTSIDE, 5],
      ['100', 0.05],
    ] as const) {
      expect(await app.place(to, '8000', seconds)).toBeGreaterThan(0);
      await app.until('8000');
    }
  });

  it('tells nothing of an extension that is not listed', async () => {
    const app = await bench.app({ answer: answers(10) });
    await app.place('103');
    await app.until('8000', 'Connected');
    expect(app.told.every((one) => one.includes('8000'))).toBe(true);
  });

  it('fails in its envelope without a telephone, without a route, or to itself', async () => {
    const app = await bench.app();
    for (const [dn, destination, reason] of [
      ['102', OUTSIDE, 'PhoneNotRegistered'],
      ['100', '55', 'NoDestinations'],
      ['8000', '8000', 'NoDestinations'],
    ] as const) {
      const { status, body } = await app.send('POST', `/callcontrol/${dn}/makecall`, { destination });
      expect([status, body]).toMatchObject([200, { finalstatus: 'Failed', reason }]);
      expect(body).not.toHaveProperty('result');
    }
    expect((await app.send('POST', '/callcontrol/100/makecall', {})).status).toBe(422);
    expect((await app.send('POST', '/callcontrol/100/makecall', { destination: '101', timeout: '9' })).status).toBe(
      422,
    );
    expect(app.pbx.liveCalls).toBe(0);
    expect(app.pbx.violations).toEqual([]);
  });

  it('gives up soon on an extension whose telephone is not there', async () => {
    const app = await bench.app();
    await app.place('102');
    await app.until('8000');
  });
});

describe('a call from outside', () => {
  it('rings at the route point until the app answers', async () => {
    const app = await bench.app();
    const call = app.pbx.call({ to: '8000', from: OUTSIDE, name: 'Robin Example', callee: () => SILENT });
    const [ringing] = await app.until('8000', 'Ringing');
    expect(ringing).toMatchObject({
      id: call.participantId,
      party_caller_id: OUTSIDE,
      party_caller_name: 'Robin Example',
    });
    expect(ringing).toMatchObject({ party_dn: '10000', party_dn_type: 'Wexternalline', party_did: '' });
    expect((await app.act('8000', call.participantId, 'answer')).body).toMatchObject({
      result: { status: 'Connected' },
    });
    expect((await app.act('8000', call.participantId, 'answer')).status).toBe(422);
    call.hangUp();
    expect(await app.participants('8000')).toEqual([]);
    await vi.waitFor(() => expect(app.told.at(-1)).toBe(`1 8000/${call.participantId}`), WAITING);
  });

  it('is given up by the caller in time', async () => {
    const app = await bench.app();
    app.pbx.call({ to: '8000', from: OUTSIDE, ringMs: 30, callee: () => SILENT });
    await app.until('8000');
  });

  it('is answered for an extension only where its telephone can be controlled', async () => {
    const app = await bench.app({ answer: never });
    const [controllable, plain] = ['100', '101'].map((to) => app.pbx.call({ to, from: OUTSIDE, callee: () => SILENT }));
    expect((await app.act('101', plain?.participantId ?? 0, 'answer')).status).toBe(422);
    expect((await app.act('100', controllable?.participantId ?? 0, 'answer')).status).toBe(200);
    await app.until('100', 'Connected');
  });

  it('is diverted while it rings, and not later', async () => {
    const app = await bench.app({ answer: (to) => (to === '101' ? answers(20)() : never()) });
    const { participantId } = app.pbx.call({ to: '100', from: OUTSIDE, callee: () => SILENT });
    for (const destination of ['55', 'SP1', '10000'])
      expect((await app.act('100', participantId, 'divert', { destination })).status).toBe(422);
    expect((await app.act('100', participantId, 'divert', { destination: '101' })).status).toBe(200);
    expect(await app.participants('100')).toEqual([]);
    const [moved] = await app.until('101', 'Connected');
    expect(moved).toMatchObject({ party_caller_id: OUTSIDE });
    expect((await app.act('101', moved?.id ?? 0, 'divert', { destination: '100' })).status).toBe(422);
  });

  it('rings elsewhere as well, and is of who answers first, for good', async () => {
    const app = await bench.app({ answer: (to) => (to === '101' ? answers(20)() : never()) });
    let atMs = 0;
    const callee = () => ({
      tick: (_: unknown, now: number) => {
        atMs = now;
        return { spoken: null };
      },
    });
    const { participantId } = app.pbx.call({ to: '100', from: OUTSIDE, ringMs: 150, callee });
    expect((await app.act('100', participantId, 'routeto', { destination: '101', timeout: 5 })).status).toBe(200);
    await app.until('101', 'Connected');
    expect(await app.participants('100')).toEqual([]);
    await vi.waitFor(() => expect(atMs).toBeGreaterThan(200), WAITING);
    expect(app.pbx.liveCalls).toBe(1);
  });
});

describe('handing a call over', () => {
  it('lets the other side wait while the target rings, and moves them when it answers', async () => {
    const app = await bench.app({ answer: (to) => (to === '101' ? answers(150)() : answers(10)()) });
    const id = await app.place('100');
    await app.until('8000', 'Connected');
    expect((await app.act('8000', id, 'transferto', { destination: '101' })).status).toBe(200);
    await app.until('101', 'Ringing');
    expect((await app.participants('100'))[0]).toMatchObject({ status: 'Connected', party_dn: '8000' });
    expect((await app.act('8000', id, 'transferto', { destination: '104' })).status).toBe(422);
    const [target] = await app.until('101', 'Connected');
    expect(target).toMatchObject({ party_dn: '100', referred_by_dn: '8000', referred_by_type: 'Wroutepoint' });
    expect((await app.participants('100'))[0]).toMatchObject({ status: 'Connected', party_dn: '101' });
    expect(await app.participants('8000')).toEqual([]);
    expect(app.pbx.liveCalls).toBe(1);
  });

  it('gives the other side back when the target is busy or does not answer', async () => {
    const app = await bench.app({
      answer: (to) => (to === '101' ? { kind: 'busy', ringMs: 30 } : to === '104' ? never() : answers(10)()),
    });
    const id = await app.place('100');
    await app.until('8000', 'Connected');
    for (const body of [{ destination: '101' }, { destination: '104', timeout: 0.05 }]) {
      expect((await app.act('8000', id, 'transferto', body)).status).toBe(200);
      await app.until(body.destination);
      expect(await app.participants('8000')).toMatchObject([{ id, status: 'Connected', party_dn: '100' }]);
      expect(await app.participants('100')).toMatchObject([{ status: 'Connected', party_dn: '8000' }]);
    }
    expect(app.told.at(-1)).toMatch(/^0 /);
  });

  it('is refused while the call rings', async () => {
    const app = await bench.app({ answer: never });
    const { participantId } = app.pbx.call({ to: '8000', from: OUTSIDE, callee: () => SILENT });
    expect((await app.act('8000', participantId, 'transferto', { destination: '101' })).status).toBe(422);
    const id = await app.place('100');
    expect((await app.act('8000', id, 'transferto', { destination: '101' })).status).toBe(422);
  });

  it('parks at a parking place, from which a call takes it back', async () => {
    const app = await bench.app({ answer: answers(10) });
    const { participantId } = app.pbx.call({ to: '100', from: OUTSIDE, callee: () => SILENT });
    await app.until('100', 'Connected');
    expect(await app.send('POST', '/callcontrol/101/makecall', { destination: 'SP1' })).toMatchObject({
      body: { finalstatus: 'Failed' },
    });
    expect((await app.act('100', participantId, 'transferto', { destination: 'SP1' })).status).toBe(200);
    expect(await app.participants('100')).toEqual([]);
    expect(app.pbx.liveCalls).toBe(1);
    await app.place('SP1', '101');
    expect(await app.until('101', 'Connected')).toMatchObject([{ party_caller_id: OUTSIDE }]);
  });

  it('finds a parking place taken while somebody waits there, and free when they have hung up', async () => {
    const app = await bench.app({ answer: answers(10) });
    const park = async () => {
      const call = app.pbx.call({ to: '100', from: OUTSIDE, callee: () => SILENT });
      await app.until('100', 'Connected');
      return { call, ...(await app.act('100', call.participantId, 'transferto', { destination: 'SP1' })) };
    };
    const first = await park();
    expect(first.status).toBe(200);
    const second = await park();
    expect(second.status).toBe(422);
    second.call.hangUp();
    first.call.hangUp();
    expect((await park()).status).toBe(200);
  });
});

describe('what 3CX does not have', () => {
  it('is not found, and is remembered', async () => {
    const app = await bench.app({ answer: answers(10) });
    const id = await app.place('100');
    for (const action of ['hold', 'record']) expect((await app.act('8000', id, action)).status).toBe(404);
    expect((await app.act('8000', id, 'attach_party_data', { attacheddata: { key: 'value' } })).status).toBe(200);
    expect(app.pbx.violations).toEqual([
      'The action hold was asked for, which 3CX does not have.',
      'The action record was asked for, which 3CX does not have.',
    ]);
  });
});

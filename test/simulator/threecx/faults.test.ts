import { afterEach, describe, expect, it, vi } from 'vitest';
import { Bench, OUTSIDE, SILENT, WAITING } from './app.ts';

const bench = new Bench();
afterEach(() => bench.close());

const quick = () => ({ kind: 'answers' as const, ringMs: 10, callee: () => SILENT });

describe('an answer that goes wrong', () => {
  it('is refused with any status, so many times, and nothing is done', async () => {
    const app = await bench.app();
    for (const status of [401, 403, 404, 422, 424, 429, 500]) {
      app.pbx.faults.answers = [{ method: 'POST', path: 'makecall', times: 2, how: { kind: 'status', status } }];
      for (const _ of [1, 2]) {
        const { status: given } = await app.send('POST', '/callcontrol/8000/makecall', { destination: '101' });
        expect(given).toBe(status);
      }
      expect((await app.get('/callcontrol/8000')).status).toBe(200);
    }
    expect(app.pbx.liveCalls).toBe(0);
    await app.place('101');
    expect(app.pbx.liveCalls).toBe(1);
  });

  it('says what it is told to say, and when to ask again', async () => {
    const app = await bench.app();
    app.pbx.faults.answers = [{ how: { kind: 'status', status: 429, body: 'slow down', retryAfterSeconds: 3 } }];
    const response = await fetch(`${app.pbx.baseUrl}/callcontrol`, { headers: app.headers });
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await response.text()).toBe('slow down');
  });

  it('is 200 with Failed, as a word or as a number', async () => {
    const app = await bench.app();
    app.pbx.faults.answers = [{ path: /makecall$/, times: 2, how: { kind: 'failed', reasonText: 'No line is free.' } }];
    const failed = await app.send('POST', '/callcontrol/8000/makecall', { destination: '101' });
    expect(failed).toMatchObject({ status: 200, body: { finalstatus: 'Failed', reasontext: 'No line is free.' } });
    app.pbx.faults.numericFinalStatus = true;
    const numeric = await app.send('POST', '/callcontrol/8000/makecall', { destination: '101' });
    expect(numeric.body).toMatchObject({ finalstatus: -1 });
    const { body } = await app.send('POST', '/callcontrol/8000/makecall', { destination: '101' });
    expect(body).toMatchObject({ finalstatus: 1, result: { status: 'Dialing' } });
  });

  it('never comes, whether it was applied or not', async () => {
    const app = await bench.app();
    const place = () =>
      fetch(`${app.pbx.baseUrl}/callcontrol/8000/makecall`, {
        method: 'POST',
        headers: app.headers,
        body: JSON.stringify({ destination: '101' }),
        signal: AbortSignal.timeout(100),
      });
    for (const kind of ['silence', 'broken'] as const) {
      for (const applied of [false, true]) {
        const before = app.pbx.liveCalls;
        app.pbx.faults.answers = [{ path: 'makecall', how: { kind, applied } }];
        await expect(place()).rejects.toThrow(kind === 'silence' ? 'timeout' : 'fetch failed');
        expect(app.pbx.liveCalls - before).toBe(applied ? 1 : 0);
        expect(app.pbx.requests.at(-1)).toMatchObject({ body: { destination: '101' }, status: 0 });
      }
    }
  });

  it('comes late, or without its body', async () => {
    const app = await bench.app();
    app.pbx.faults.slowMs = 40;
    app.pbx.faults.answers = [{ how: { kind: 'late', afterMs: 40 } }];
    const before = performance.now();
    expect((await app.get('/callcontrol/8000')).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(78);
    delete app.pbx.faults.slowMs;
    app.pbx.faults.answers = [{ how: { kind: 'empty' } }];
    expect(await app.get('/callcontrol/8000')).toEqual({ status: 200, body: '' });
    app.pbx.faults.emptyBodies = true;
    expect(await app.send('POST', '/callcontrol/8000/makecall', { destination: '101' })).toEqual({
      status: 200,
      body: '',
    });
    expect(app.pbx.liveCalls).toBe(1);
  });

  it('also meets the sign-in', async () => {
    const app = await bench.stranger();
    app.pbx.faults.answers = [{ path: '/connect/token', how: { kind: 'status', status: 500 } }];
    expect((await app.signIn()).status).toBe(500);
    expect((await app.signIn()).status).toBe(200);
    expect(app.pbx.violations).toEqual([]);
  });
});

describe('odd devices', () => {
  it('are missing from their list, or named by participants alone', async () => {
    const app = await bench.app({ answer: quick });
    app.pbx.faults.withoutDevices = ['101'];
    expect((await app.get('/callcontrol/101/devices')).body).toEqual([]);
    app.pbx.faults.foreignDevices = true;
    await app.place(OUTSIDE, '100');
    const [participant] = await app.participants('100');
    expect(JSON.stringify((await app.get('/callcontrol/100/devices')).body)).not.toContain(participant?.device_id);
  });

  it('come as one row without its list', async () => {
    const app = await bench.app();
    app.pbx.faults.oneRowAsObject = true;
    expect((await app.get('/callcontrol/100/devices')).body).toMatchObject({ dn: '100' });
  });
});

describe('the events socket', () => {
  it('numbers its events without a gap, until one is lost', async () => {
    const app = await bench.app({ answer: () => ({ kind: 'never' }) });
    await app.place(OUTSIDE);
    app.pbx.skipSequence();
    await app.place(OUTSIDE);
    await app.place(OUTSIDE);
    await vi.waitFor(() => expect(app.events.map((one) => one.sequence)).toEqual([1, 3]), WAITING);
  });

  it('tells things twice, tells of who is gone already, or tells nothing', async () => {
    const app = await bench.app({ answer: () => ({ kind: 'never' }) });
    app.pbx.faults.duplicateEvents = true;
    await app.place(OUTSIDE);
    await vi.waitFor(() => expect(app.told).toEqual(['0 8000/1', '0 8000/1']), WAITING);
    app.pbx.faults.duplicateEvents = false;
    app.pbx.faults.ghostEvents = 1;
    const id = await app.place(OUTSIDE);
    await vi.waitFor(() => expect(app.told.at(-1)).toBe(`0 8000/${id}`), WAITING);
    const ghost = app.events.at(-2)?.event?.entity ?? '';
    expect((await app.get(ghost)).status).toBe(404);
    app.pbx.faults.nullEvents = 1;
    await app.place(OUTSIDE);
    await vi.waitFor(() => expect(app.told.at(-1)).toBe('null'), WAITING);
  });

  it('forgets which key was pressed', async () => {
    const callee = () => ({
      tick: (_: unknown, atMs: number) => ({ spoken: null, ...(atMs === 20 ? { digit: '7' } : {}) }),
    });
    const app = await bench.app({ answer: () => ({ kind: 'answers', ringMs: 5, callee }) });
    app.pbx.faults.nullDigits = 1;
    await app.place(OUTSIDE);
    const pressed = () => app.events.find((one) => one.event?.event_type === 2);
    await vi.waitFor(() => expect(pressed()?.event?.attached_data).toBeNull(), WAITING);
  });

  it('breaks, and is refused at the upgrade or right after it', async () => {
    const app = await bench.app();
    const closed = new Promise((resolve) => app.socket?.on('close', resolve));
    app.pbx.dropEvents();
    expect(await closed).toBe(1006);
    app.pbx.faults.refuseEvents = { how: 'http-401', times: 1 };
    await expect(app.listen()).rejects.toThrow('401');
    app.pbx.faults.refuseEvents = { how: 'close-1008', times: 1 };
    await app.listen();
    expect(await new Promise((resolve) => app.socket?.on('close', resolve))).toBe(1008);
    await app.listen();
    await app.place('101');
    await vi.waitFor(() => expect(app.events.length).toBeGreaterThan(0), WAITING);
  });

  it('takes no requests', async () => {
    const app = await bench.app();
    app.socket?.send('{}');
    await vi.waitFor(() => expect(app.pbx.violations).toEqual(['A request was sent over the events socket.']), WAITING);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { type App, Bench, OUTSIDE, SILENT } from './app.ts';

const bench = new Bench();
afterEach(() => bench.close());

const XAPI = '/xapi/v1';
const encoded = (text: string): string => encodeURIComponent(text);

/** Rows of a list. */
async function rows(app: App, path: string): Promise<readonly Record<string, unknown>[]> {
  const { status, body } = await app.get(`${XAPI}/${path}`);
  expect([status, body]).toMatchObject([200, {}]);
  return Object(body).value;
}

function reportPath(changes: Readonly<Record<string, string | null>> = {}): string {
  const args: Record<string, string | null> = {
    periodFrom: '2020-01-01T00:00:00Z',
    periodTo: '2100-01-01T00:00:00%2B00:00',
    sourceType: '0',
    sourceFilter: "''",
    destinationType: '0',
    destinationFilter: "''",
    callsType: '0',
    callTimeFilterType: '0',
    callTimeFilterFrom: "'0:00:0'",
    callTimeFilterTo: "'0:00:0'",
    hidePcalls: 'true',
    ...changes,
  };
  const given = Object.entries(args).filter(([, value]) => value !== null);
  return `ReportCallLogData/Pbx.GetCallLogData(${given.map(([name, value]) => `${name}=${value}`).join(',')})`;
}

describe('a list', () => {
  it('is counted, paged, chosen from, ordered and searched', async () => {
    const app = await bench.app();
    const { body } = await app.get(`${XAPI}/Users?$select=Number&$top=2&$skip=1&$count=true`);
    expect(body).toMatchObject({ '@odata.count': 5, value: [{ Number: '101' }, { Number: '102' }] });
    expect(Object(body).value[0]).toEqual({ Number: '101' });
    expect(body).not.toHaveProperty('@odata.nextLink');
    const ordered = await rows(app, `Users?$select=Number&$orderby=${encoded('Number desc')}&$top=1`);
    expect(ordered).toEqual([{ Number: '104' }]);
    expect(await rows(app, 'Users?$select=Number&$search=okafor')).toEqual([{ Number: '101' }]);
  });

  it('is filtered by equality, with quotes doubled, and by an enum with its type or without', async () => {
    const app = await bench.app();
    const by = (filter: string) => rows(app, `Users?$select=Number&$filter=${encoded(filter)}`);
    expect(await by("LastName eq 'O''Brien' and Enabled eq true")).toEqual([{ Number: '103' }]);
    expect(await by("contains(FirstName, 'ad')")).toEqual([{ Number: '100' }]);
    for (const type of ["'Parking'", "Pbx.PeerType'Parking'"]) {
      const parking = await rows(app, `Peers?$filter=${encoded(`Type eq ${type}`)}`);
      expect(parking.map((one) => one.Number)).toEqual(['SP1', 'SP2']);
    }
  });

  it('refuses what it does not understand, as OData does', async () => {
    const app = await bench.app();
    for (const query of ['$select=Nonsense', '$top=-1', '$filter=Nonsense+eq+1', '$limit=4', '$filter=Number+eq+abc'])
      expect(await app.get(`${XAPI}/Peers?${query}`)).toMatchObject({
        status: 400,
        body: { error: { code: 'BadRequest' } },
      });
    for (const path of ['Extensions', 'Users(99)?$select=Id', "Users(Number='777')?$select=Id"])
      expect(await app.get(`${XAPI}/${path}`)).toMatchObject({ status: 404, body: { error: { code: 'NotFound' } } });
  });

  it('is cut into pages by a server that does, each with the address of the next', async () => {
    const app = await bench.app();
    app.pbx.faults.pageCap = 2;
    const seen: unknown[] = [];
    let next: string | undefined = `${app.pbx.baseUrl}${XAPI}/Users?$select=Number&$top=5`;
    for (let pages = 0; next !== undefined && pages < 9; pages += 1) {
      const { body } = await app.get(next.slice(app.pbx.baseUrl.length));
      seen.push(...Object(body).value.map((row: { Number: string }) => row.Number));
      next = Object(body)['@odata.nextLink'];
    }
    expect(seen).toEqual(['100', '101', '102', '103', '104']);
  });

  it('of one row comes as that row where the fault says so', async () => {
    const app = await bench.app();
    app.pbx.faults.oneRowAsObject = true;
    const { body } = await app.get(`${XAPI}/Users?$select=Number&$top=1`);
    expect(body).toEqual({ Number: '100' });
  });
});

describe('secrets', () => {
  it('are there for who does not choose fields, and that is remembered', async () => {
    const app = await bench.app();
    const [user] = await rows(app, 'Users');
    expect(user).toMatchObject({ AuthPassword: 'sip-secret-100', VMPIN: '77100' });
    const { body } = await app.get(`${XAPI}/Users(Number='100')`);
    expect(body).toHaveProperty('DeskphonePassword');
    expect((await app.get(`${XAPI}/SystemStatus`)).body).toHaveProperty('LicenseKey');
    expect((await app.get(`${XAPI}/Users?$select=Id,AccessPassword`)).status).toBe(200);
    expect(app.pbx.violations).toEqual([
      'Users was read without $select.',
      "Users(Number='100') was read without $select.",
      'SystemStatus was read without $select.',
      'The secret AccessPassword was asked for.',
    ]);
  });

  it('stay away from who chooses', async () => {
    const app = await bench.app();
    expect((await app.get(`${XAPI}/Users(12)?$select=Id,Number`)).body).toEqual({ Id: 12, Number: '100' });
    expect((await app.get(`${XAPI}/SystemStatus?$select=Version`)).body).toEqual({ Version: '20.0.6.724' });
    expect(app.pbx.violations).toEqual([]);
  });
});

describe('what can be changed', () => {
  it('is a person’s recording, without an answer’s body', async () => {
    const app = await bench.app();
    expect(await app.send('PATCH', `${XAPI}/Users(13)`, { RecordCalls: true })).toEqual({ status: 204, body: '' });
    expect((await app.get(`${XAPI}/Users(13)?$select=RecordCalls`)).body).toEqual({ RecordCalls: true });
    expect((await app.send('PATCH', `${XAPI}/Users(13)`, { Id: 5 })).status).toBe(400);
    expect((await app.send('PATCH', `${XAPI}/Users(99)`, {})).status).toBe(404);
  });

  it('is a call, which is made, listed and ended', async () => {
    const app = await bench.app({ answer: () => ({ kind: 'never' }) });
    const made = await app.send('POST', `${XAPI}/Users/Pbx.MakeCall`, { dn: '103', destination: OUTSIDE });
    expect(made).toMatchObject({
      status: 200,
      body: { FinalStatus: 'Success', Result: { DN: '103', Status: 'Dialing' } },
    });
    const [call] = await rows(app, 'ActiveCalls');
    expect(call).toMatchObject({ Caller: "103 David O'Brien", Callee: OUTSIDE, EstablishedAt: null });
    const path = `${XAPI}/ActiveCalls(${call?.Id})/Pbx.DropCall`;
    expect((await app.send('POST', path)).status).toBe(204);
    expect(await rows(app, `ActiveCalls?$filter=${encoded(`Id eq ${call?.Id}`)}&$select=Id`)).toEqual([]);
    expect((await app.send('POST', path)).status).toBe(404);
    const without = await app.send('POST', `${XAPI}/Users/Pbx.MakeCall`, { dn: '102', destination: OUTSIDE });
    expect(without.body).toMatchObject({ FinalStatus: 'Failed' });
  });
});

describe('the call log', () => {
  it('has seeded calls, and those that were made here, the newest first', async () => {
    const app = await bench.app();
    const call = app.pbx.call({ to: '100', from: OUTSIDE, name: 'Robin Example', callee: () => SILENT });
    await app.until('100', 'Connected');
    call.hangUp();
    const [newest, older, ...rest] = await rows(app, `${reportPath()}?$top=100&$skip=0`);
    expect(newest).toMatchObject({
      SourceCallerId: OUTSIDE,
      SourceDisplayName: 'Robin Example',
      DestinationDn: '100',
      actionDnDn: '100',
      Answered: true,
      Direction: 'Inbound',
      TalkingDuration: 'PT0S',
      Recordings: [],
    });
    expect(older).toMatchObject({ TalkingDuration: 'PT1M5S', RingingDuration: 'PT4S', Recordings: [{ Id: 501 }] });
    expect(rest).toHaveLength(5);
    expect(await rows(app, `${reportPath({ destinationFilter: "'100'" })}?$top=1`)).toMatchObject([
      { DestinationDn: '100' },
    ]);
    expect(await rows(app, reportPath({ periodTo: '2021-01-01T00:00:00Z' }))).toEqual([]);
  });

  it('needs all its arguments, in their form', async () => {
    const app = await bench.app();
    expect((await app.get(`${XAPI}/${reportPath({ hidePcalls: null })}`)).status).toBe(400);
    expect((await app.get(`${XAPI}/${reportPath({ periodFrom: '2020-01-01' })}`)).status).toBe(400);
    expect((await app.get(`${XAPI}/${reportPath({ sourceType: '3' })}`)).status).toBe(400);
  });

  it('needs a role, and a build that has it; an older one has the older view alone', async () => {
    const app = await bench.app();
    expect(await rows(app, 'CallHistoryView?$top=10')).toEqual([]);
    app.pbx.faults.noReportRole = true;
    expect((await app.get(`${XAPI}/${reportPath()}`)).status).toBe(403);
    app.pbx.faults.olderBuild = true;
    expect((await app.get(`${XAPI}/${reportPath()}`)).status).toBe(404);
    const [row] = await rows(app, 'CallHistoryView?$top=10');
    expect(row).toMatchObject({
      SegmentId: 10_000,
      CallAnswered: true,
      CallTime: 'PT1M5S',
      DstDn: '100',
      SrcExternal: true,
    });
  });
});

describe('the rest', () => {
  it('lists recordings, and gives one as a WAV', async () => {
    const app = await bench.app();
    const [recording] = await rows(app, 'Recordings?$select=Id,CallType');
    expect(recording).toEqual({ Id: 501, CallType: 'InboundExternal' });
    const download = (id: number) =>
      fetch(`${app.pbx.baseUrl}${XAPI}/Recordings/Pbx.DownloadRecording(recId=${id})`, { headers: app.headers });
    const response = await download(501);
    expect(response.headers.get('content-type')).toBe('audio/wav');
    const wav = Buffer.from(await response.arrayBuffer());
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect(wav.readUInt32LE(4)).toBe(wav.byteLength - 8);
    expect((await download(7)).status).toBe(404);
  });

  it('has messages to read, places to park, and the licence', async () => {
    const app = await bench.app();
    expect(await rows(app, 'ChatMessagesHistoryView?$top=1')).toMatchObject([
      { ProviderType: 'SMS', IsExternal: true },
    ]);
    expect(await rows(app, 'Parkings?$select=Number')).toEqual([{ Number: 'SP1' }, { Number: 'SP2' }]);
    expect((await app.get(`${XAPI}/LicenseStatus?$select=ProductCode`)).body).toEqual({ ProductCode: '3CXENT' });
    expect((await app.send('POST', `${XAPI}/ChatMessagesHistoryView`, { Message: 'x' })).status).toBe(404);
    expect(app.pbx.violations).toEqual([]);
  });
});

/** Calls of the agent, as the manager tells of them: in whatever order, and over a connection that may break. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AmiClient, createAmiClient } from '../../../src/pbx/asterisk/ami/client.ts';
import { AgentExchange, type News } from '../../../src/pbx/asterisk/exchange.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { QUIET } from '../../system/office.ts';
import { type Headers, headerOf, type RecordedManager, startRecordedManager, USER } from './recorded-manager.ts';

const ID = 'switchboard-1795216000000-14155550123-call-1';
const SUCCESS = 'Response: Success\r\nActionID: %ID%\r\nMessage: Originate successfully queued';
const LIST = 'Response: Success\r\nActionID: %ID%\r\nEventList: start\r\nMessage: Channels will follow';
const LIST_END = 'Event: CoreShowChannelsComplete\r\nActionID: %ID%\r\nEventList: Complete\r\nListItems: 0';

let manager: RecordedManager;
let ami: AmiClient;
let exchange: AgentExchange;
let news: News[];
/** Channels that are up, as lines of a list. */
let up: string[];
let takesOn: boolean;

const channel = (name: string): string =>
  `Event: CoreShowChannel\r\nActionID: %ID%\r\nChannel: ${name}\r\nUniqueid: ${ID}\r\nLinkedid: ${ID}\r\nChannelStateDesc: Up`;

beforeEach(async () => {
  news = [];
  up = [];
  takesOn = true;
  manager = await startRecordedManager({
    answer: (action) => {
      if (headerOf(action, 'Action') === 'CoreShowChannels') return [LIST, ...up, LIST_END];
      return headerOf(action, 'Action') === 'Originate' && takesOn ? [SUCCESS] : null;
    },
  });
  const address = { host: '127.0.0.1', port: manager.port, tls: false };
  ami = createAmiClient({ address, ...USER, clock: systemClock, logger: QUIET, random: () => 0 });
  exchange = new AgentExchange({
    ami,
    clock: systemClock,
    logger: QUIET,
    context: 'phones',
    agentContext: 'switchboard',
    country: 'US',
    plus: '+',
  });
  await ami.ready();
});
afterEach(async () => {
  exchange.close();
  ami.close();
  await manager.stop();
});

function originate(): Promise<void> {
  const asked = { to: '+14155550123', uniqueId: ID, ref: 'ref', uuid: 'uuid', ringMs: 5_000, maxMs: 60_000 };
  return exchange.originate(asked, (one) => news.push(one));
}
async function accepted(): Promise<void> {
  await until(() => news.length === 1 && news[0]?.kind === 'accepted');
}
const leg: Headers = [
  ['Channel', 'Local/+14155550123@phones-00000001;2'],
  ['Uniqueid', '1.2'],
  ['Linkedid', ID],
  ['DestChannel', 'PJSIP/trunk-00000002'],
  ['DestUniqueid', '1.3'],
];
const dialBegin: Headers = [['Event', 'DialBegin'], ...leg];
const dialEnd = (status: string): Headers => [['Event', 'DialEnd'], ...leg, ['DialStatus', status]];
function response(reason: number): Headers {
  const asked = manager.actions.find((action) => headerOf(action, 'Action') === 'Originate') ?? [];
  return [
    ['Event', 'OriginateResponse'],
    ['ActionID', headerOf(asked, 'ActionID')],
    ['Response', reason === 4 ? 'Success' : 'Failure'],
    ['Channel', 'Local/+14155550123@phones'],
    ['Reason', String(reason)],
    ['Uniqueid', ID],
  ];
}
const hangup: Headers = [
  ['Event', 'Hangup'],
  ['Channel', 'Local/+14155550123@phones-00000001;1'],
  ['Uniqueid', ID],
  ['Linkedid', ID],
  ['Cause', '16'],
];

describe('a call that is rung', () => {
  it('is not over when one trunk is full: the dial plan tries the next, and who answers there is answered', async () => {
    const rung = originate();
    await accepted();
    manager.emit(dialEnd('CONGESTION'));
    manager.emit(response(4));
    await rung;
    expect(news.slice(1)).toEqual([{ kind: 'status', status: 'answered' }]);
  });

  it('has ended as the last leg did that was dialled for it', async () => {
    const rung = originate();
    await accepted();
    manager.emit(dialEnd('CONGESTION'));
    manager.emit(dialEnd('BUSY'));
    manager.emit(response(0));
    await rung;
    expect(news.slice(1)).toEqual([{ kind: 'status', status: 'busy', code: 'BUSY' }]);
  });

  it('has ended as the last leg did also where that is told behind the answer to Originate', async () => {
    const rung = originate();
    await accepted();
    manager.emit(dialEnd('CONGESTION'));
    manager.emit(dialBegin);
    manager.emit(response(0));
    // By its answer, what came before has been read.
    await exchange.channels();
    manager.emit(dialEnd('BUSY'));
    await rung;
    expect(news.slice(1)).toEqual([{ kind: 'status', status: 'busy', code: 'BUSY' }]);
  });

  it('was not rung when the manager is away, and that is certain', async () => {
    await manager.stop();
    await until(() => !ami.isConnected);
    await originate();
    expect(news).toMatchObject([{ kind: 'refused', code: 'unreachable' }]);
  });

  it('of which nothing is known is listened for: its end is told when the connection is back', async () => {
    takesOn = false;
    up = [channel('Local/+14155550123@phones-00000001;1')];
    const rung = originate();
    await until(() => manager.actions.length === 1);
    manager.drop();
    await rung;
    expect(news).toMatchObject([{ kind: 'uncertain' }]);
    await until(() => ami.isConnected, 5_000);
    manager.emit(hangup);
    await until(() => news.length === 2);
    expect(news[1]).toEqual({ kind: 'status', status: 'completed', code: '16' });
  });

  it('that ended while the manager was away is told as ended when it is back', async () => {
    const rung = originate();
    await accepted();
    manager.emit(response(4));
    await rung;
    manager.drop();
    await until(() => news.length === 3, 5_000);
    expect(news[2]).toEqual({ kind: 'status', status: 'completed' });
  });
});

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import { recordingToken } from '../../src/carriers/twilio/recordings.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import type { SimulatedCall } from '../../src/simulator/twilio/call.ts';
import { type FormFields, sign } from '../../src/simulator/twilio/signature.ts';
import { startWorld, type World } from '../../src/simulator/world.ts';
import { heldInTime, watchLag } from '../fixtures/lag.ts';
import { until } from '../fixtures/mcp-pair.ts';
import type { Followed, Processes, ServerProcess } from '../journeys/process.ts';
import { type ModelLink, type ModelProxy, startModelProxy } from './model-link.ts';

/** Rings for ever at the simulator, so that a test can be Twilio for it. */
const OURS = '+14155550199';
/** Refused by the settings: for tool calls that must not dial. */
export const BLOCKED = '+14155550177';
const FRIEND = '+14155550123';
/** The person speaks from this process: in one that is late, a sentence falls apart. */
const MOST_LAG_MS = 100;

/**
 * Says at once that the table is booked, and goodbye when the agent has said it. Over the agent's goodbye, a machine that is busy
 * would still be making that, and a goodbye that is cut while it is made takes its `end_call` with it.
 */
const HEARS_OUT: Script = {
  rules: [
    { when: { after: 'start', ms: 300 }, act: { say: 'c.confirmed' } },
    { when: { after: 'heard', phrase: 'a.goodbye', share: 0.95 }, act: { say: 'c.bye' } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};

/** The server as a process of its own, in a simulated world in which some calls are the attacker's. */
export interface Target {
  readonly server: ServerProcess;
  readonly world: World;
  /** Of the public listener, and of the private one. */
  readonly port: number;
  readonly privatePort: number;
  readonly base: string;
  /** Resident memory of the server, in bytes. */
  rss(): number;
  /** Places a call of which the attacker plays the carrier, past every signature and token. */
  capture(): Promise<CapturedCall>;
  /** A whole short call with a real person; rejects when a word of it is missing. */
  normalCall(): Promise<void>;
}

export async function startTarget(here: Processes, settings: Readonly<Record<string, string>> = {}): Promise<Target> {
  const phrases = loadPhrasebook();
  const world = here.later(
    await startWorld({
      scenario: 'reservation',
      answer: (to) =>
        to === OURS
          ? { kind: 'never' }
          : { kind: 'answers', ringMs: 100, callee: () => scriptedCallee(HEARS_OUT, phrases) },
    }),
  );
  const proxy = here.later(await startModelProxy(world.realtime.url));
  const env = {
    ...world.env,
    OPENAI_WEBSOCKET_URL: proxy.url,
    DATA_DIR: here.folder(),
    MAX_CONCURRENT_CALLS: '200',
    MAX_CALLS_PER_HOUR: '10000',
    RING_TIMEOUT_SECONDS: '120',
    // On a machine that is busy the person's first words may come late, and the opener would not be the call that is expected.
    FIRST_SPEECH_SECONDS: '15',
    BLOCKED_NUMBERS: BLOCKED,
    MCP_PORT: '0',
    ...settings,
  };
  const server = await here.start({ env, args: ['--simulate', '--http'] });
  const isPrivate = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
  await until(() => isPrivate() !== undefined, 30_000);
  const port = await server.listeningPort();
  let captured = 0;
  const lag = watchLag();
  here.later({ close: async () => lag.stop() });
  return {
    server,
    world,
    port,
    privatePort: Number(isPrivate()),
    base: `http://127.0.0.1:${port}`,
    rss: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
    capture: async () => {
      captured += 1;
      const marker = `Call number ${captured} of the attacker.`;
      const reply = await server.tool('trigger-call', { toNumber: OURS, callContext: marker });
      if (reply.isError) throw new Error(reply.text);
      const { callId, callSid } = reply.data;
      await until(() => world.twilio.calls.some(({ sid }) => sid === callSid), 5_000);
      const call = world.twilio.calls.find(({ sid }) => sid === callSid);
      if (call === undefined) throw new Error('the carrier does not know the call');
      return new CapturedCall({ callId: String(callId), call, marker, world, proxy, server });
    },
    normalCall: async () => {
      const hold = async (): Promise<Followed> => server.follow(await server.place({ toNumber: FRIEND }));
      const fault = faultOf(await heldInTime(lag, MOST_LAG_MS, hold, { faultOf }));
      if (fault !== null) throw new Error(`A normal call went wrong: ${fault}`);
    },
  };
}

/** Null where there are the agent's sentences and an end in good order. The person's "bye" may come after the line was put down. */
function faultOf({ data, lines }: Followed): string | null {
  const said = lines.map(({ text }) => text);
  const isWhole =
    said[0] === 'Wonderful, you are all set. See you on Friday.' &&
    said[1]?.startsWith('Thank you very much for your help.') === true;
  return data.outcome === 'completed' && isWhole ? null : `${String(data.outcome)}, ${JSON.stringify(said)}`;
}

/** Where a captured call's document leads. */
interface StreamAddress {
  readonly url: string;
  readonly token: string;
  readonly afterUrl: string;
}

/** One call of which the attacker is the carrier: every request is signed with the account's token unless said otherwise. */
export class CapturedCall {
  readonly callId: string;
  readonly sid: string;
  readonly streamSid = `MZ${'0123456789abcdef'.repeat(2)}`;
  readonly outgoingUrl: string;
  readonly statusUrl: string;
  afterUrl = '';
  stream: WebSocket | null = null;
  readonly #rig: CaptureRig;

  constructor(rig: CaptureRig) {
    this.#rig = rig;
    this.callId = rig.callId;
    this.sid = rig.call.sid;
    this.outgoingUrl = String(rig.call.params.Url);
    this.statusUrl = String(rig.call.params.StatusCallback);
  }

  /** Where Twilio would tell of its own recording of the call. */
  get recordingUrl(): string {
    const token = recordingToken(this.#rig.world.twilio.authToken, this.callId);
    return this.statusUrl.replace(/status\/.*$/, `recording/${token}`);
  }

  get fields(): Record<string, string> {
    return {
      CallSid: this.sid,
      AccountSid: this.#rig.world.twilio.accountSid,
      From: this.#rig.call.from,
      To: this.#rig.call.to,
      CallStatus: 'in-progress',
      ApiVersion: '2010-04-01',
      Direction: 'outbound-api',
    };
  }

  get accountSid(): string {
    return this.#rig.world.twilio.accountSid;
  }

  sign(url: string, fields: FormFields = {}): string {
    return sign(this.#rig.world.twilio.authToken, url, fields);
  }

  async post(url: string, fields: FormFields, signature: string | null = this.sign(url, fields)): Promise<Response> {
    const form = formOf(fields);
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
    if (signature !== null) headers['x-twilio-signature'] = signature;
    return fetch(url, { method: 'POST', headers, body: form.toString() });
  }

  /** The same, with its body in two pieces. */
  postSlowly(url: string, fields: FormFields): Promise<{ readonly status: number }> {
    const body = formOf(fields).toString();
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'x-twilio-signature': this.sign(url, fields),
    };
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      const sent = request(url, { method: 'POST', headers }, (response) => {
        isAnswered = true;
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode ?? 0 }));
      });
      sent.on('error', reject);
      const half = Math.floor(body.length / 2);
      sent.write(body.slice(0, half));
      // What is turned away is answered before it is whole, and its connection closed: whatever has come meanwhile is read first.
      const goOn = (): void => void (isAnswered || sent.end(body.slice(half)));
      setTimeout(() => setImmediate(goOn), 50);
    });
  }

  /** The call is answered: where its stream has to go. */
  async answer(url = this.outgoingUrl): Promise<StreamAddress | null> {
    const twiml = await (await this.post(url, this.fields)).text();
    const found = /<Connect action="([^"]+)".*<Stream url="([^"]+)".*name="token" value="([^"]+)"/s.exec(twiml);
    if (found === null) return null;
    const [, afterUrl = '', streamUrl = '', token = ''] = found;
    this.afterUrl = afterUrl;
    return { url: streamUrl, token, afterUrl };
  }

  upgrade(url: string, signature: string | null = this.sign(url)): Promise<WebSocket | number> {
    return new Promise((resolve, reject) => {
      const headers = signature === null ? {} : { 'x-twilio-signature': signature };
      const socket = new WebSocket(url, { headers, perMessageDeflate: false });
      socket.on('open', () => resolve(socket));
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      socket.on('error', reject);
      socket.on('error', () => undefined);
    });
  }

  startMessage(token: string): Readonly<Record<string, never>> | object {
    return {
      event: 'start',
      sequenceNumber: '1',
      start: {
        accountSid: this.accountSid,
        streamSid: this.streamSid,
        callSid: this.sid,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        customParameters: { token },
      },
      streamSid: this.streamSid,
    };
  }

  /**
   * Attaches a stream, as Twilio does; `before` may send what it likes before the `start`. Null when no stream is wanted. Webhooks of
   * the same call, sent meanwhile, may end it or order another stream, which spends the token of this one: then it asks again.
   */
  async attach(
    url = this.outgoingUrl,
    before: (socket: WebSocket) => void = () => undefined,
    triesLeft = 5,
  ): Promise<WebSocket | null> {
    const address = await this.answer(url);
    if (address === null) return null;
    const socket = await this.upgrade(address.url);
    if (socket === 403 && triesLeft > 1) return this.attach(url, before, triesLeft - 1);
    if (typeof socket === 'number') throw new Error(`The upgrade was refused with ${socket}`);
    before(socket);
    socket.send(JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }));
    socket.send(JSON.stringify(this.startMessage(address.token)));
    this.stream = socket;
    return socket;
  }

  model(): Promise<ModelLink> {
    return this.#rig.proxy.link(this.#rig.marker);
  }

  /** Ends the call by its operator and waits for the record of it. */
  async end(): Promise<Followed> {
    await this.#rig.server.tool('end-call', { callId: this.callId, mode: 'now' });
    const followed = await this.#rig.server.follow(this.callId);
    this.stream?.terminate();
    return followed;
  }
}

function formOf(fields: FormFields): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const one of typeof value === 'string' ? [value] : value) form.append(name, one);
  return form;
}

interface CaptureRig {
  readonly callId: string;
  readonly call: SimulatedCall;
  /** Words of the brief that tell this call's model session. */
  readonly marker: string;
  readonly world: World;
  readonly proxy: ModelProxy;
  readonly server: ServerProcess;
}

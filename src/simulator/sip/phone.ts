/** A SIP telephone on loopback: it registers, is called and calls, and whoever holds it is a `Callee`. */
import { createSocket, type Socket } from 'node:dgram';
import type { Answer, Callee } from '../callee/callee.ts';
import { audioAddress, digest, hex, parseSip, type SipMessage, sdp, writeSip } from './message.ts';
import { RtpLeg } from './rtp.ts';

export interface SipPhoneOptions {
  readonly server: { readonly host: string; readonly port: number };
  readonly user: string;
  readonly password: string;
  /** How it takes a call; without it, it is busy. */
  readonly answer?: (from: string) => Answer;
}

export interface SipCall {
  readonly leg: RtpLeg;
  /** Resolves when it is over, with the final status where it never was up. */
  readonly ended: Promise<number>;
  hangUp(): void;
}

export interface SipPhone {
  readonly user: string;
  /** The calls that are up or ring. */
  readonly calls: readonly SipCall[];
  /** Every call that it has taken part in. */
  readonly past: readonly SipCall[];
  /** Resolves when the other side has answered. Rejects with the status when it does not. */
  call(target: string, callee: () => Callee): Promise<SipCall>;
  close(): Promise<void>;
}

/** Resolves when it is registered. */
export async function openSipPhone(options: SipPhoneOptions): Promise<SipPhone> {
  const phone = new Phone(options);
  await phone.open();
  await phone.register(120);
  return phone;
}

type Headers = readonly (readonly [string, string | number])[];
const ANSWER_MS = 5_000;

class Phone implements SipPhone {
  readonly user: string;
  readonly past: Dialog[] = [];
  readonly #options: SipPhoneOptions;
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<string, (response: SipMessage) => void>();
  readonly #dialogs = new Map<string, Dialog>();
  readonly #replies = new Map<string, string>();
  #sequence = 1;
  #port = 0;

  constructor(options: SipPhoneOptions) {
    this.#options = options;
    this.user = options.user;
  }

  get calls(): readonly SipCall[] {
    return [...this.#dialogs.values()];
  }

  open(): Promise<void> {
    this.#socket.on('message', (data) => this.#take(parseSip(data.toString('utf8'))));
    this.#socket.on('error', () => undefined);
    return new Promise((resolve) =>
      this.#socket.bind(0, '127.0.0.1', () => {
        this.#port = this.#socket.address().port;
        resolve();
      }),
    );
  }

  async register(seconds: number): Promise<void> {
    const { server, user } = this.#options;
    const identity = `<sip:${user}@${server.host}>`;
    const { status } = await this.#transact('REGISTER', `sip:${server.host}`, [
      ['From', `${identity};tag=${hex(4)}`],
      ['To', identity],
      ['Call-ID', hex(8)],
      ['Contact', this.#contact()],
      ['Expires', seconds],
    ]);
    if (status !== 200) throw new Error(`Telephone ${user} could not register: ${status}.`);
  }

  async call(target: string, callee: () => Callee): Promise<SipCall> {
    const { server, user } = this.#options;
    const leg = new RtpLeg();
    const port = await leg.open();
    const uri = `sip:${target}@${server.host}`;
    const callId = hex(8);
    const from = `<sip:${user}@${server.host}>;tag=${hex(4)}`;
    const headers: Headers = [
      ['From', from],
      ['To', `<${uri}>`],
      ['Call-ID', callId],
      ['Contact', this.#contact()],
    ];
    const response = await this.#transact('INVITE', uri, headers, sdp(port));
    if (response.status !== 200) {
      leg.close();
      throw new Error(`The call to ${target} was answered with ${response.status}.`);
    }
    const remote = /<([^>]+)>/.exec(response.header('Contact'))?.[1] ?? uri;
    const dialog = this.#dialog(callId, leg, {
      local: from,
      remote: response.header('To'),
      target: remote,
    });
    dialog.isUp = true;
    this.#ack(remote, from, response);
    leg.start(audioAddress(response.body), { callee: callee(), hangUp: () => dialog.hangUp() });
    return dialog;
  }

  async close(): Promise<void> {
    for (const dialog of this.#dialogs.values()) dialog.hangUp();
    await this.register(0).catch(() => undefined);
    for (const dialog of this.past) dialog.leg.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #contact(): string {
    return `<sip:${this.user}@127.0.0.1:${this.#port}>`;
  }

  #send(text: string): void {
    this.#socket.send(text, this.#options.server.port, this.#options.server.host);
  }

  /** A request and its final response; a challenge is answered once. */
  async #transact(method: string, uri: string, headers: Headers, body = ''): Promise<SipMessage> {
    let more: Headers = [];
    for (let tries = 0; ; tries += 1) {
      const cseq = `${this.#sequence} ${method}`;
      this.#sequence += 1;
      const via = this.#via();
      const all: Headers = [['Via', via], ['Max-Forwards', 70], ...headers, ['CSeq', cseq], ...more];
      const callId = String(headers.find(([name]) => name === 'Call-ID')?.[1]);
      const answered = this.#answerTo(callId + cseq);
      this.#send(writeSip(`${method} ${uri} SIP/2.0`, all, body));
      const response = await answered;
      if (method === 'INVITE' && response.status >= 300) this.#ackRefusal(uri, via, headers, response);
      const challenge = response.header('WWW-Authenticate') || response.header('Proxy-Authenticate');
      if (challenge === '' || tries > 0) return response;
      const { user, password } = this.#options;
      const name = response.header('WWW-Authenticate') === '' ? 'Proxy-Authorization' : 'Authorization';
      more = [[name, digest(challenge, { method, uri, user, password })]];
    }
  }

  #answerTo(key: string): Promise<SipMessage> {
    return new Promise((resolve, reject) => {
      // While it rings a call may take its time.
      const timer = setTimeout(() => reject(new Error(`No answer to ${key.replace(/^\w{16}/, '')}.`)), 12 * ANSWER_MS);
      this.#waiting.set(key, (response) => {
        if (response.status < 200) return;
        clearTimeout(timer);
        this.#waiting.delete(key);
        resolve(response);
      });
    });
  }

  #via(): string {
    return `SIP/2.0/UDP 127.0.0.1:${this.#port};rport;branch=z9hG4bK${hex(8)}`;
  }

  #ack(uri: string, from: string, response: SipMessage): void {
    const sequence = response.header('CSeq').split(' ')[0] ?? '1';
    const headers: Headers = [
      ['Via', this.#via()],
      ['Max-Forwards', 70],
      ['From', from],
      ['To', response.header('To')],
      ['Call-ID', response.header('Call-ID')],
      ['CSeq', `${sequence} ACK`],
    ];
    this.#send(writeSip(`ACK ${uri} SIP/2.0`, headers));
  }

  /** Belongs to the same transaction, so it has the same Via (RFC 3261, 17.1.1.3). */
  #ackRefusal(uri: string, via: string, headers: Headers, response: SipMessage): void {
    const sequence = response.header('CSeq').split(' ')[0] ?? '1';
    const kept = headers.filter(([name]) => name !== 'To' && name !== 'Contact');
    const all: Headers = [
      ['Via', via],
      ['Max-Forwards', 70],
      ...kept,
      ['To', response.header('To')],
      ['CSeq', `${sequence} ACK`],
    ];
    this.#send(writeSip(`ACK ${uri} SIP/2.0`, all));
  }

  #take(message: SipMessage): void {
    if (message.method === null) {
      this.#waiting.get(message.header('Call-ID') + message.header('CSeq'))?.(message);
      return;
    }
    if (message.method === 'ACK') return;
    const key = `${message.header('Call-ID')} ${message.header('CSeq')}`;
    const before = this.#replies.get(key);
    // Asked again because the answer was late.
    if (before !== undefined) return this.#send(before);
    const dialog = this.#dialogs.get(message.header('Call-ID'));
    switch (message.method) {
      case 'INVITE':
        return void (dialog ? this.#reply(message, 200, 'OK', dialog.tag, dialog.description) : this.#ring(message));
      case 'BYE':
        this.#reply(message, 200, 'OK');
        return dialog?.over(200);
      case 'CANCEL':
        this.#reply(message, 200, 'OK');
        if (dialog?.invite && !dialog.isUp) this.#reply(dialog.invite, 487, 'Request Terminated', dialog.tag);
        return dialog?.over(487);
      default:
        this.#reply(message, 200, 'OK');
    }
  }

  async #ring(invite: SipMessage): Promise<void> {
    const from = /sip:([^@>]+)/.exec(invite.header('From'))?.[1] ?? '';
    const answer: Answer = this.#options.answer?.(from) ?? { kind: 'busy', ringMs: 0 };
    const leg = new RtpLeg();
    const dialog = this.#dialog(invite.header('Call-ID'), leg, {
      local: invite.header('To'),
      remote: invite.header('From'),
      target: /<([^>]+)>/.exec(invite.header('Contact'))?.[1] ?? '',
    });
    dialog.invite = invite;
    this.#reply(invite, 180, 'Ringing', dialog.tag);
    dialog.description = sdp(await leg.open());
    if (answer.kind === 'never') return;
    dialog.later(answer.ringMs, () => {
      if (answer.kind !== 'answers') {
        const [status, text] = answer.kind === 'busy' ? [486, 'Busy Here'] : [503, 'Service Unavailable'];
        this.#reply(invite, status, String(text), dialog.tag);
        return dialog.over(Number(status));
      }
      dialog.local = this.#reply(invite, 200, 'OK', dialog.tag, dialog.description);
      dialog.isUp = true;
      leg.start(audioAddress(invite.body), { callee: answer.callee(), hangUp: () => dialog.hangUp() });
    });
  }

  /** Answers with the `To` that the other side knows us by. */
  #reply(request: SipMessage, status: number, text: string, tag = hex(4), body = ''): string {
    const given = request.header('To');
    const to = given.includes('tag=') ? given : `${given};tag=${tag}`;
    const headers: Headers = [
      ...request.vias.map((via): readonly [string, string] => ['Via', via]),
      ['From', request.header('From')],
      ['To', to],
      ['Call-ID', request.header('Call-ID')],
      ['CSeq', request.header('CSeq')],
      ['Contact', this.#contact()],
    ];
    const reply = writeSip(`SIP/2.0 ${status} ${text}`, headers, body);
    this.#replies.set(`${request.header('Call-ID')} ${request.header('CSeq')}`, reply);
    this.#send(reply);
    return to;
  }

  #dialog(callId: string, leg: RtpLeg, ends: DialogEnds): Dialog {
    const dialog = new Dialog(leg, ends, {
      bye: ({ local, remote, target }) => {
        const headers: Headers = [
          ['Via', this.#via()],
          ['Max-Forwards', 70],
          ['From', local],
          ['To', remote],
          ['Call-ID', callId],
          ['CSeq', `${this.#sequence} BYE`],
        ];
        this.#sequence += 1;
        this.#send(writeSip(`BYE ${target} SIP/2.0`, headers));
      },
      refuse: (invite, tag) => this.#reply(invite, 603, 'Decline', tag),
      forget: () => this.#dialogs.delete(callId),
    });
    this.#dialogs.set(callId, dialog);
    this.past.push(dialog);
    return dialog;
  }
}

interface DialogEnds {
  local: string;
  readonly remote: string;
  readonly target: string;
}

interface DialogActs {
  bye(ends: DialogEnds): void;
  refuse(invite: SipMessage, tag: string): void;
  forget(): void;
}

class Dialog implements SipCall {
  readonly leg: RtpLeg;
  readonly ended: Promise<number>;
  readonly tag = hex(4);
  invite: SipMessage | null = null;
  description = '';
  isUp = false;
  readonly #ends: DialogEnds;
  readonly #acts: DialogActs;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;
  #resolveEnded: (status: number) => void = () => undefined;

  constructor(leg: RtpLeg, ends: DialogEnds, acts: DialogActs) {
    this.leg = leg;
    this.#ends = ends;
    this.#acts = acts;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  set local(to: string) {
    this.#ends.local = to;
  }

  later(ms: number, work: () => void): void {
    this.#timer = setTimeout(work, ms);
  }

  hangUp(): void {
    if (this.#isOver) return;
    if (this.isUp) this.#acts.bye(this.#ends);
    else if (this.invite) this.#acts.refuse(this.invite, this.tag);
    this.over(200);
  }

  over(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.leg.close();
    this.#acts.forget();
    this.#resolveEnded(status);
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientSession, type Lines } from '../../../src/mcp/relay/client-session.ts';

type Json = Readonly<Record<string, unknown>>;

const line = (message: object): string => JSON.stringify({ jsonrpc: '2.0', ...message });
const read = (lines: readonly string[]): readonly Json[] => lines.map((one) => JSON.parse(one) as Json);
const INITIALIZE = line({ id: 0, method: 'initialize', params: { capabilities: {} } });
const INITIALIZED = line({ method: 'notifications/initialized' });
const tool = (id: unknown, name: string, args: object = {}): string =>
  line({ id, method: 'tools/call', params: { name, arguments: args } });
const subscribe = (id: number, uri: string, how = 'subscribe'): string =>
  line({ id, method: `resources/${how}`, params: { uri } });
const answer = (id: unknown, result: object = {}): string => line({ id, result });
const cancelled = (requestId: unknown): string => line({ method: 'notifications/cancelled', params: { requestId } });

/** A session whose client has shaken hands with its first server. */
function met(): ClientSession {
  const session = new ClientSession();
  session.regained();
  session.fromClient(INITIALIZE);
  session.fromServer(answer(0));
  session.fromClient(INITIALIZED);
  return session;
}

describe('the memory of a client', () => {
  it('passes what goes either way unchanged while there is a server', () => {
    const session = met();
    for (const one of [tool(1, 'list-calls'), tool('1', 'list-calls'), line({ method: 'notifications/progress' })])
      expect(session.fromClient(one)).toEqual({ toClient: [], toServer: [one] });
    for (const one of [answer(1), line({ id: '1', error: { code: 1, message: 'No.' } }), line({ method: 'x' })])
      expect(session.fromServer(one)).toEqual([one]);
  });

  it('keeps what comes before there is a server, in order', () => {
    const session = new ClientSession();
    for (const one of [INITIALIZE, INITIALIZED, tool(1, 'list-calls')])
      expect(session.fromClient(one)).toEqual({ toClient: [], toServer: [] });
    expect(session.regained()).toEqual({ toClient: [], toServer: [INITIALIZE, INITIALIZED, tool(1, 'list-calls')] });
  });

  it('shakes hands with each new server, and subscribes there to what the client follows, and tells that it may have changed', () => {
    const session = met();
    for (const [index, uri] of ['call://a', 'call://b', 'call://refused'].entries()) {
      session.fromClient(subscribe(index + 1, uri));
      session.fromServer(
        uri === 'call://refused' ? line({ id: index + 1, error: { code: 1, message: 'No.' } }) : answer(index + 1),
      );
    }
    session.fromClient(subscribe(9, 'call://b', 'unsubscribe'));
    session.fromServer(answer(9));
    session.lost();
    const { toClient, toServer } = session.regained();
    expect(read(toServer)).toMatchObject([
      { method: 'initialize', params: { capabilities: {} } },
      { method: 'notifications/initialized' },
      { method: 'resources/subscribe', params: { uri: 'call://a' } },
    ]);
    expect(read(toClient)).toMatchObject([
      { method: 'notifications/resources/updated', params: { uri: 'call://a' } },
      { method: 'notifications/resources/list_changed' },
    ]);
    // The client has heard these answers before.
    for (const { id } of read(toServer)) if (id !== undefined) expect(session.fromServer(answer(id))).toEqual([]);
  });

  it.each([
    ['a handshake', [INITIALIZE]],
    ['a handshake of a client that did not wait for the answer', [INITIALIZE, INITIALIZED]],
  ])('asks the next server again for %s that was never answered', (_, said) => {
    const session = new ClientSession();
    session.regained();
    for (const one of said) session.fromClient(one);
    expect(session.lost()).toEqual([]);
    expect(session.regained()).toEqual({ toClient: [], toServer: said });
    expect(session.fromServer(answer(0))).toEqual([answer(0)]);
  });

  it.each([
    ['tools/list', line({ id: 1, method: 'tools/list' }), /Ask again\./],
    ['end-call', tool(1, 'end-call'), /Look with list-calls and get-call/],
    ['trigger-call with a key', tool(1, 'trigger-call', { idempotencyKey: 'k' }), /same idempotencyKey/],
    ['trigger-call without one', tool(1, 'trigger-call'), /look with list-calls before.*do not simply place it again/],
    ['trigger-call without arguments', line({ id: 1, method: 'tools/call', params: { name: 'trigger-call' } }), /look/],
    ['a tool with no name', line({ id: 1, method: 'tools/call', params: null }), /list-calls/],
  ])('answers %s that was under way when the server went with a sentence, and does not send it again', (...row) => {
    const [, asked, sentence] = row;
    const session = met();
    session.fromClient(asked);
    expect(read(session.lost())).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32603, message: expect.stringMatching(sentence) } },
    ]);
    expect(session.regained().toServer).toHaveLength(2);
  });

  it('refuses with the reason what has waited too long, and keeps what comes later', () => {
    const session = new ClientSession();
    for (const one of [INITIALIZE, INITIALIZED, tool('a', 'list-calls')]) session.fromClient(one);
    expect(read(session.giveUp('Nobody is there.'))).toMatchObject([
      { id: 0, error: { message: 'Nobody is there.' } },
      { id: 'a', error: { message: 'Nobody is there.' } },
    ]);
    expect(session.giveUp('Nobody is there.')).toEqual([]);
    session.fromClient(tool('b', 'list-calls'));
    expect(read(session.regained().toServer)).toMatchObject([{ id: 'b' }]);
  });

  it('forgets a request that is cancelled: it is not sent any more, and not answered when the server goes', () => {
    const session = met();
    session.fromClient(tool(1, 'list-calls'));
    expect(session.fromClient(cancelled(1)).toServer).toEqual([cancelled(1)]);
    expect(session.lost()).toEqual([]);
    session.fromClient(tool(2, 'list-calls'));
    session.fromClient(tool('2', 'list-calls'));
    expect(session.fromClient(cancelled(2))).toEqual({ toClient: [], toServer: [] });
    expect(read(session.regained().toServer).map(({ id }) => id)).not.toContain(2);
    expect(read(session.lost())).toMatchObject([{ id: '2' }]);
  });

  it('refuses a second request with an id that is under way, and takes the id again afterwards', () => {
    const session = met();
    session.fromClient(tool(1, 'wait-for-call'));
    const second = session.fromClient(tool(1, 'trigger-call'));
    expect(read(second.toClient)).toMatchObject([{ id: 1, error: { code: -32600 } }]);
    expect(second.toServer).toEqual([]);
    session.fromServer(answer(1));
    expect(session.fromClient(tool(1, 'trigger-call')).toServer).toHaveLength(1);
    expect(read(session.lost())).toMatchObject([{ id: 1 }]);
  });

  it('keeps a thousand requests and eight megabytes at most while there is no server', () => {
    const session = new ClientSession();
    session.fromClient(INITIALIZE);
    const refused = Array.from({ length: 10_000 }, (_, index) =>
      session.fromClient(index % 2 === 0 ? tool(index + 1, 'list-calls') : line({ method: 'notifications/progress' })),
    ).flatMap(({ toClient }) => read(toClient));
    expect(refused).toHaveLength(4_500);
    expect(refused[0]).toMatchObject({ error: { message: expect.stringMatching(/^Too many requests/) } });
    expect(session.regained().toServer).toHaveLength(1_000);

    const other = new ClientSession();
    const large = Array.from({ length: 20 }, (_, id) => tool(id, 'x', { text: 'x'.repeat(1_000_000) }));
    expect(large.flatMap((one) => other.fromClient(one).toClient)).toHaveLength(12);
    other.giveUp('Nobody is there.');
    expect(other.fromClient(large[0] ?? '').toClient).toEqual([]);
  });

  it('refuses requests, and drops what wants no answer, while the server has too much before it', () => {
    const session = met();
    const full = 8 * 1024 * 1024;
    expect(read(session.fromClient(tool(1, 'list-calls'), full).toClient)).toMatchObject([{ id: 1, error: {} }]);
    expect(session.fromClient(line({ method: 'notifications/progress' }), full).toServer).toEqual([]);
    expect(session.fromClient(tool(1, 'list-calls'), full / 2).toServer).toHaveLength(1);
    expect(session.fromClient(cancelled(1), full).toServer).toEqual([]);
    expect(session.lost()).toEqual([]);
  });

  it('lets a question of the server be answered to that server only', () => {
    const session = met();
    const asks = (id: unknown): Json => read(session.fromServer(line({ id, method: 'elicitation/create' })))[0] ?? {};
    const [first, second] = [asks(0), asks('0')];
    expect(first.id).not.toBe(second.id);
    expect(read(session.fromClient(answer(first.id, { action: 'accept' })).toServer)).toEqual([
      { jsonrpc: '2.0', id: 0, result: { action: 'accept' } },
    ]);
    // Once.
    expect(session.fromClient(answer(first.id)).toServer).toEqual([]);
    expect(read(session.lost())).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: second.id } },
    ]);
    session.regained();
    const third = asks('0');
    expect(third.id).not.toBe(second.id);
    expect(session.fromClient(answer(second.id, { action: 'accept' }))).toEqual({ toClient: [], toServer: [] });
    const withdrawn = session.fromServer(cancelled('0'));
    expect(read(withdrawn)).toMatchObject([{ params: { requestId: third.id } }]);
    expect(session.fromClient(answer(third.id, { action: 'accept' })).toServer).toEqual([]);
  });

  it('passes what is no message on to the server, which knows what is wrong with it', () => {
    const session = met();
    for (const one of ['"text"', '5', '{}', '{"id":7}', '{"id":null,"method":"x"}', '{"id":[],"method":"x"}'])
      expect(session.fromClient(one), one).toEqual({ toClient: [], toServer: [one] });
    expect(session.lost()).toEqual([]);
  });

  it('is not hurt by what is nested beyond measure', () => {
    const nested = '['.repeat(200_000) + ']'.repeat(200_000);
    const session = new ClientSession();
    session.regained();
    session.fromClient(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":${nested}}`);
    session.fromServer(answer(0));
    session.fromClient(INITIALIZED);
    const [asked] = read(session.fromServer(line({ id: 3, method: 'elicitation/create' })));
    const given = session.fromClient(`{"jsonrpc":"2.0","id":${JSON.stringify(asked?.id)},"result":${nested}}`);
    expect(read(given.toServer)).toMatchObject([{ id: 3, error: { code: -32603 } }]);
    session.lost();
    expect(session.regained().toServer).toEqual([INITIALIZED]);
  });
});

// ---- Any interleaving -------------------------------------------------------------------------------------------------------

type Step =
  | { readonly kind: 'ask'; readonly id: number | string; readonly what: number }
  | { readonly kind: 'cancel' | 'answer' | 'respond' | 'withdraw'; readonly nth: number }
  | { readonly kind: 'loses' | 'regains' | 'givesUp' | 'question' };

const nth = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      id: fc.constantFrom(1, 2, '1', '2', 3, 'x'),
      what: fc.nat(5),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('answer' as const, 'cancel', 'respond', 'withdraw'), nth }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('loses' as const, 'regains', 'givesUp', 'question') }) },
);

/** A client and one server after the other, on either side of a session. It throws when one of them sees what it must not. */
class Bystander {
  readonly session = new ClientSession();
  connected = false;
  /** Requests of the client by their id: those that have no answer yet. */
  readonly open = new Map<string, { readonly mark: string; cancelled: boolean }>();
  /** Marks of requests that have reached a server. */
  readonly served = new Set<string>();
  /** What the present server has to answer, and what it has asked. */
  inbox: Json[] = [];
  questions = new Set<string>();
  /** Questions that the client sees. */
  asked = new Set<string>();
  #marks = 0;

  ask(id: number | string, what: number): void {
    const key = JSON.stringify(id);
    const mark = `mark-${this.#marks++}`;
    const methods = ['tools/call', 'resources/subscribe', 'resources/unsubscribe', 'initialize', 'tools/call', 'ping'];
    const params = { name: 'trigger-call', uri: `call://${what}`, mark };
    const before = this.open.get(key);
    const lines = this.session.fromClient(line({ id, method: methods[what], params }));
    if (before !== undefined && !before.cancelled) {
      expect(read(lines.toClient)).toMatchObject([{ id, error: {} }]);
      expect(lines.toServer).toEqual([]);
      return;
    }
    this.open.set(key, { mark, cancelled: false });
    this.carry(lines);
  }

  cancel(at: number): void {
    const [key] = [...this.open].filter(([, { cancelled }]) => !cancelled)[at] ?? [];
    if (key === undefined) return;
    const request = this.open.get(key);
    if (request) request.cancelled = true;
    this.carry(this.session.fromClient(cancelled(JSON.parse(key))));
  }

  answer(at: number): void {
    const [request] = this.inbox.splice(at, 1);
    if (request && this.connected)
      this.tell(this.session.fromServer(answer(request.id, { mark: (request.params as Json).mark })));
  }

  question(): void {
    if (!this.connected) return;
    // As the SDK does, each server counts from 0.
    const id = this.questions.size;
    this.questions.add(String(id));
    this.tell(this.session.fromServer(line({ id, method: 'elicitation/create', params: {} })));
  }

  withdraw(at: number): void {
    if (this.connected && this.questions.has(String(at))) this.tell(this.session.fromServer(cancelled(at)));
  }

  respond(at: number): void {
    const id = [...this.asked][at];
    if (id === undefined) return;
    this.asked.delete(id);
    const { toServer } = this.session.fromClient(answer(id, { of: id }));
    expect(toServer).toHaveLength(1);
    this.carry({ toClient: [], toServer });
  }

  lose(): void {
    if (!this.connected) return;
    this.connected = false;
    this.inbox = [];
    this.questions = new Set();
    this.tell(this.session.lost());
    expect(this.asked).toEqual(new Set());
  }

  regain(): void {
    if (this.connected) return;
    this.connected = true;
    this.carry(this.session.regained());
  }

  carry({ toClient, toServer }: Lines): void {
    if (!this.connected) expect(toServer).toEqual([]);
    for (const message of read(toServer)) this.#reachesServer(message);
    this.tell(toClient);
  }

  #reachesServer(message: Json): void {
    const mark = (message.params as Json | undefined)?.mark as string | undefined;
    if (message.method === undefined) expect(this.questions).toContain(String(message.id));
    if (message.method === 'notifications/cancelled') {
      const { requestId } = message.params as Json;
      this.inbox = this.inbox.filter(({ id }) => id !== requestId);
    }
    if (mark === undefined || message.id === undefined) return;
    const isRepeated = message.method === 'initialize' || String(message.id).startsWith('switchboard-relay-');
    if (!isRepeated) expect(this.served, mark).not.toContain(mark);
    this.served.add(mark);
    this.inbox.push(message);
  }

  tell(lines: readonly string[]): void {
    for (const message of read(lines)) {
      if (message.method === 'elicitation/create') this.asked.add(String(message.id));
      else if (message.method === 'notifications/cancelled')
        this.asked.delete(String((message.params as Json).requestId));
      else if (message.method === undefined) this.#answersClient(message);
    }
  }

  #answersClient({ id, result }: Json): void {
    const key = JSON.stringify(id);
    const request = this.open.get(key);
    expect(request, `an answer to ${key} that nobody waits for`).toBeDefined();
    expect(request?.cancelled, `an answer to ${key} that was cancelled`).toBe(false);
    if (result !== undefined) expect((result as Json).mark).toBe(request?.mark);
    this.open.delete(key);
  }
}

function take(world: Bystander, one: Step): void {
  switch (one.kind) {
    case 'ask':
      return world.ask(one.id, one.what);
    case 'cancel':
      return world.cancel(one.nth);
    case 'answer':
      return world.answer(one.nth);
    case 'respond':
      return world.respond(one.nth);
    case 'withdraw':
      return world.withdraw(one.nth);
    case 'loses':
      return world.lose();
    case 'regains':
      return world.regain();
    case 'givesUp':
      return world.connected ? undefined : world.tell(world.session.giveUp('Nobody is there.'));
    case 'question':
      return world.question();
    default:
      return one satisfies never;
  }
}

describe('in any order of requests, answers, losses and returns', () => {
  it('each request has one answer, or none when it was cancelled, and reaches one server at most', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new Bystander();
        for (const one of steps) take(world, one);
        world.regain();
        while (world.inbox.length > 0) world.answer(0);
        expect([...world.open.values()].filter(({ cancelled }) => !cancelled)).toEqual([]);
        expect(world.session.isOwing).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

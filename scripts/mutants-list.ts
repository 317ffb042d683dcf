/** One-line faults, each with the tests that must notice it. `find` stands exactly once in `file`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly test: string;
  /** Only the tests whose names match. */
  readonly only?: string;
}

const SHORT_CALL = 'test/journeys/short-call.test.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no clear',
    file: 'src/switchboard/bridge.ts',
    find: 'return line.clear(command.generation);',
    replace: 'return;',
    test: SHORT_CALL,
  },
  {
    name: 'generation ignored',
    file: 'src/call/playback.ts',
    find: 'if (generation !== playback.generation) return playback;',
    replace: '',
    test: 'test/call/talking.test.ts',
  },
  {
    name: 'truncate at sent',
    file: 'src/call/floor.ts',
    find: 'const heardMs = Math.floor(msOfBytes(heardBytesOf(draft.call.playback, item, atMs)));',
    replace: 'const heardMs = Math.floor(msOfBytes(item.sentBytes));',
    test: SHORT_CALL,
  },
  {
    name: 'no truncate',
    file: 'src/switchboard/bridge.ts',
    find: 'return session?.truncate(command.itemId, command.contentIndex, command.audioEndMs);',
    replace: 'return;',
    test: SHORT_CALL,
  },
  {
    name: 'one frame in 35 of the caller dropped',
    file: 'src/switchboard/uplink.ts',
    find: 'if (padMs === null) return;',
    replace: 'if (padMs === null || mediaMs % 700 < 20) return;',
    test: SHORT_CALL,
  },
  {
    name: 'held frames swapped',
    file: 'src/switchboard/uplink.ts',
    find: 'this.#kept.push(audio);',
    replace: 'this.#kept.splice(Math.max(0, this.#kept.length - 1), 0, audio);',
    test: SHORT_CALL,
  },
  {
    name: 'held frames thrown away',
    file: 'src/switchboard/uplink.ts',
    find: "if (to === 'model') for (const audio of this.#kept) this.end?.append(audio);",
    replace: '',
    test: SHORT_CALL,
  },
  {
    name: 'one chunk in eight of the agent dropped',
    file: 'src/switchboard/bridge.ts',
    find: '        this.#line.play(audio);\n',
    replace: '        if (command.chunkId % 8 !== 0) this.#line.play(audio);\n',
    test: SHORT_CALL,
  },
  {
    name: 'audio of a cancelled reply is played',
    file: 'src/call/floor.ts',
    find: '    active.discarded ||\n',
    replace: '',
    test: 'test/call/talking.test.ts',
  },
  {
    name: 'the goodbye is cleared by a bye',
    file: 'src/call/floor.ts',
    find: "if (ending.stage !== 'none' || floor.waitingUntilMs !== null) return;\n  floor.waitedMs",
    replace: 'floor.waitedMs',
    test: 'test/call/ending.test.ts',
  },
  {
    name: 'hang up before the goodbye was heard',
    file: 'src/call/ending.ts',
    find: 'ending.goodbyeDone && playback.items.length === 0',
    replace: 'ending.goodbyeDone',
    test: SHORT_CALL,
  },
  {
    name: 'transcript by arrival',
    file: 'src/call/turns.ts',
    find: 'stack.push(...open.filter((each) => each.previousItemId === itemId).reverse());',
    replace: 'void itemId;',
    test: 'test/call/transcript.test.ts',
  },
  {
    name: 'lines are not waited for',
    file: 'src/call/turns.ts',
    find: 'if (ready === null) break;',
    replace: 'if (ready === null) { told += 1; continue; }',
    test: 'test/call/transcript.test.ts',
  },
  {
    name: 'idempotency key ignored',
    file: 'src/switchboard/switchboard.ts',
    find: 'const idempotencyKey = request.idempotencyKey ?? null;',
    replace: 'const idempotencyKey: string | null = null;',
    test: SHORT_CALL,
  },
  {
    name: 'watchers told before the line is stored',
    file: 'src/switchboard/scribe.ts',
    find: "const first = kind === 'ended' ? null : write();",
    replace:
      'if (kind) onWritten(kind);\n    const first = new Promise<void>((resolve) => setImmediate(resolve)).then(write);',
    test: SHORT_CALL,
  },
  {
    name: 'open twice',
    file: 'src/call/step.ts',
    find: 'call.floor.opened = true;',
    replace: "call.floor.opened = true;\n      wantReply(draft, 'answer', INSTRUCTIONS.opener);",
    test: 'test/call/starting.test.ts',
  },
  {
    name: 'the goodbye is never reopened',
    file: 'src/call/ending.ts',
    find: 'const MAX_REOPENED = 2;',
    replace: 'const MAX_REOPENED = 0;',
    test: 'test/call/ending.test.ts',
  },
  {
    name: 'a broken stream is not attached again',
    file: 'src/call/sessions.ts',
    find: 'if (canReattach && !stream.reattached) emit(',
    replace: 'if (canReattach && stream.reattached) emit(',
    test: 'test/call/trouble.test.ts',
  },
  {
    name: 'a short step forgets that the reply is alive',
    file: 'src/call/short-step.ts',
    find: 'floor: { ...floor, active: { ...active, aliveAtMs: nowMs } }',
    replace: 'floor',
    test: 'test/fuzz/world.test.ts',
  },
  {
    name: 'a stream that never comes up is hung up on',
    file: 'src/carriers/twilio/line.ts',
    find: "if (epoch > this.latestEpoch) this.emit({ type: 'carrier.streamFailed', epoch });",
    replace: '',
    test: 'test/carriers/twilio/stream.test.ts',
  },
  {
    name: 'replies of the server’s own while we wait',
    file: 'src/call/replies.ts',
    find: '    floor.waitingUntilMs === null &&\n',
    replace: '',
    test: 'test/call',
  },
  {
    name: 'a callee who says Hello? is let wait for ever',
    file: 'src/call/floor.ts',
    find: 'floor.waitedMs += waitedInVainMs(draft);',
    replace: '',
    test: 'test/call/no-answer.test.ts',
  },
  {
    name: 'a stranded call that could not be put down counts as put down',
    file: 'src/switchboard/recovery.ts',
    find: "if (how === 'failed') return null;",
    replace: '',
    test: 'test/switchboard/recovery.test.ts',
  },
  {
    name: 'a frame is written over before the network has taken it',
    file: 'src/models/openai/audio-frames.ts',
    find: 'if (connection.writableLength > 0) this.#masked = this.#newMasked(length);',
    replace: '',
    test: 'test/models/openai/audio-frames.test.ts',
  },
  {
    name: 'frames behind a fault are told all the same',
    file: 'src/http/text-intake.ts',
    find: '    this.#isClear = false;\n',
    replace: '',
    test: 'test/http/text-intake.test.ts',
  },
  {
    name: 'a hallucinated bye ends the wait',
    file: 'src/call/floor.ts',
    find: 'const speaksToUs = event.text !== null && words && !isClosing(event.text);',
    replace: 'const speaksToUs = words;',
    test: 'test/call/talking.test.ts',
  },
  {
    name: 'any signature accepted',
    file: 'src/carriers/twilio/signature.ts',
    find: 'return validateRequest(authToken, signature, url, { ...form });',
    replace: 'return validateRequest(authToken, signature, url, { ...form }) || signature.length > 0;',
    test: 'test/carriers/twilio/webhooks.test.ts',
  },
  {
    name: 'stream token reusable',
    file: 'src/carriers/twilio/line.ts',
    find: "if (this.isReleased || ticket.state !== 'unspent') return false;",
    replace: 'if (this.isReleased) return false;',
    test: 'test/carriers/twilio/webhooks.test.ts',
  },
  {
    name: 'an uncertain create is sent again',
    file: 'src/call/line.ts',
    find: "emit(draft, { type: 'carrier.inquire' });",
    replace: "emit(draft, { type: 'carrier.dial', to: '', ringMs: 0, maxMs: 0 });",
    test: 'test/fuzz',
  },
  {
    name: 'a stranded call that was not put down counts as put down',
    file: 'src/switchboard/recovery.ts',
    find: "if (how === 'failed') return null;",
    replace: '',
    test: 'test/switchboard/recovery.test.ts',
  },
  {
    name: 'nobody notices that the agent is silent',
    file: 'src/call/timers.ts',
    find: 'wanted.deadAir = deadAirDueMs(call);',
    replace: '',
    test: 'test/call',
  },
  {
    name: 'any token opens the private listener',
    file: 'src/http/private-server.ts',
    find: 'if (shown !== undefined && timingSafeEqual(digest(shown), wanted)) return next();',
    replace: 'if (shown !== undefined) return next();',
    test: 'test/http/private-server.test.ts',
  },
  {
    name: 'purged words stay in the file',
    file: 'src/store/sqlite/database.ts',
    find: "connection.exec('PRAGMA secure_delete = ON');",
    replace: "connection.exec('PRAGMA secure_delete = OFF');",
    test: 'test/store/sqlite/purge.test.ts',
  },
  {
    name: 'what is rescued is never taken in',
    file: 'src/switchboard/rescue.ts',
    find: 'const left = await this.#takeFiles();',
    replace: 'const left = new Set<CallId>();',
    test: 'test/switchboard/rescue.test.ts',
  },
];

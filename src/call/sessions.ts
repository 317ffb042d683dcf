/** The media stream and the model's session: opening, losing and renewing them. */

import type { SeedTurn } from './commands.ts';
import { briefOf, type Draft, emit, limitsOf, note, timingOf, traitsOf } from './draft.ts';
import { apologise, dismissModel, sayApology, wantedTurn } from './ending.ts';
import type { CarrierEvent, ModelEvent } from './events.ts';
import { abandonTurns, cutPlayback, meet, stopSpeaking } from './floor.ts';
import { unheard } from './heard.ts';
import { bound, brokenVerdict, hangUp, settle, silentVerdict } from './line.ts';
import { newLine, type Spoken } from './playback.ts';
import { discardReply, dropPending, resetReplies, wantReply } from './replies.ts';
import { apology, INSTRUCTIONS } from './sentences.ts';

type Carrier<T extends CarrierEvent['type']> = Extract<CarrierEvent, { type: T }>;
type Model<T extends ModelEvent['type']> = Extract<ModelEvent, { type: T }>;

/** Each is confirmed by the server before anybody is heard again, and somebody is waiting on the line. */
const MAX_SEED_TURNS = 200;

/** The model's socket opens while the phone rings, so that nobody waits for it after the answer. */
export function openModelEarly(draft: Draft): void {
  const { line, model, settling } = draft.call;
  const known = line.bound || line.status !== null || draft.call.stream.state !== 'none';
  if (!known || model.state !== 'none' || line.hangUp !== 'none' || settling) return;
  model.downSinceMs = draft.nowMs;
  openModel(draft);
}

/** The pause after an attempt that failed is over. */
export function openModelAgain(draft: Draft): void {
  if (draft.call.model.state === 'paused') openModel(draft);
}

function openModel(draft: Draft): void {
  const { model } = draft.call;
  model.state = 'opening';
  model.epoch += 1;
  model.retryAtMs = null;
  model.turn = wantedTurn(draft);
  emit(draft, { type: 'model.open', epoch: model.epoch, seed: seedOf(draft), turn: model.turn });
}

/** What has been said lately, for a session that knows nothing of it. */
function seedOf(draft: Draft): readonly SeedTurn[] {
  const { turns } = draft.call;
  const playing = new Set(wholePlaying(draft).map(({ itemId }) => itemId));
  const seed: SeedTurn[] = [];
  for (const item of turns.items) {
    if (item.role !== 'other' && (item.final || playing.has(item.itemId)) && item.text !== '')
      seed.push({ speaker: item.role === 'callee' ? 'callee' : 'agent', text: item.text });
  }
  return seed.slice(-MAX_SEED_TURNS);
}

/** Sentences of ours that the carrier has whole and the callee is still hearing. */
function wholePlaying({ call, nowMs }: Draft): readonly Spoken[] {
  return unheard(call.playback, nowMs).filter((item) => item.done && !item.partial);
}

export function streamStarted(draft: Draft, event: Carrier<'carrier.streamStarted'>): void {
  const { stream, line, floor } = draft.call;
  if (event.epoch <= stream.epoch) return;
  const returned = stream.state !== 'none';
  if (stream.state === 'up') cutPlayback(draft, draft.call.model.state === 'ready');
  draft.call.playback = newLine(draft.call.playback);
  stream.state = 'up';
  stream.epoch = event.epoch;
  stream.upSinceMs = draft.nowMs;
  stream.startedAtMs ??= draft.nowMs;
  stream.lostAtMs = null;
  stream.inquired = false;
  if (!line.bound) bound(draft, { type: 'carrier.bound', carrierCallId: null });
  note(draft, 'stream-started', { epoch: event.epoch });
  if (draft.call.model.state === 'dead') return apologise(draft, MODEL_GONE);
  if (!returned) return;
  stream.reattached = true;
  floor.awaitingSinceMs = null;
  if (goesOn(draft)) wantReply(draft, 'answer', INSTRUCTIONS.lineBroke);
}

/** Something has been said and heard out, nobody has asked us to wait: after a break it is for us to speak. */
function goesOn(draft: Draft): boolean {
  const { floor, ending, line } = draft.call;
  return (
    (floor.opened || floor.calleeHasSpoken) &&
    floor.waitingUntilMs === null &&
    ending.stage === 'none' &&
    line.hangUp === 'none' &&
    wholePlaying(draft).length === 0
  );
}

/** A stream's end is not the call's end: the carrier may ask how to go on, and the verdict is its terminal status. */
export function streamEnded(draft: Draft, event: Carrier<'carrier.streamEnded'>): void {
  const { stream, ending, line, settling, floor, model } = draft.call;
  if (event.epoch !== stream.epoch || stream.state !== 'up') return;
  note(draft, 'stream-ended', { epoch: event.epoch, how: event.how });
  stream.state = 'lost';
  stream.lostAtMs = draft.nowMs;
  stream.lostHow = event.how;
  if (settling || line.hangUp !== 'none') return;
  cutPlayback(draft, model.state === 'ready');
  if (floor.speaking) emit(draft, { type: 'model.commitInput' });
  stopSpeaking(draft);
  if (ending.stage === 'apology' || ending.stage === 'handover') return;
  if (ending.stage !== 'none') {
    if (ending.verdict) hangUp(draft, ending.verdict);
    return;
  }
  dropPending(draft, () => false);
  discardReply(draft);
  floor.awaitingSinceMs = null;
  const { canReattach, canSay } = traitsOf(draft.call);
  if (canReattach && !stream.reattached) emit(draft, { type: 'carrier.redirect', plan: 'reattach' });
  else if (canSay)
    emit(draft, { type: 'carrier.redirect', plan: 'say', ...apology(briefOf(draft.call)?.language ?? 'en') });
}

/** A stream that never comes up is asked for once more; then a sentence of the carrier's is all that can be said. */
export function streamFailed(draft: Draft, event: Carrier<'carrier.streamFailed'>): void {
  const { stream, ending, line, model, settling } = draft.call;
  if (event.epoch <= stream.epoch) return;
  note(draft, 'stream-failed', { epoch: event.epoch });
  if (settling || line.hangUp !== 'none' || ending.stage !== 'none') return;
  stream.failures += 1;
  const { canReattach, canSay } = traitsOf(draft.call);
  if (canReattach && stream.failures === 1 && model.state !== 'dead')
    return emit(draft, { type: 'carrier.redirect', plan: 'reattach' });
  const verdict = ending.verdict ?? { outcome: 'error', reason: STREAM_FAILED, result: null, mayReopen: false };
  if (canSay) sayApology(draft, verdict, STREAM_FAILED);
  else hangUp(draft, verdict);
}

const STREAM_FAILED =
  'The audio of the call never came up between the telephone system and Switchboard. Run `switchboard doctor`; over Twilio check PUBLIC_URL and the proxy.';

export function detachedDueMs(draft: Draft): number | null {
  const { lostAtMs, inquired, state, reattached } = draft.call.stream;
  if (state !== 'lost' || lostAtMs === null || draft.call.ending.stage === 'apology') return null;
  const saying = reattached && traitsOf(draft.call).canSay;
  return (
    lostAtMs +
    (inquired
      ? saying
        ? timingOf(draft.call).detachedSayMs
        : timingOf(draft.call).detachedMs
      : timingOf(draft.call).detachedInquireMs)
  );
}

/** The stream stayed away: the carrier is asked for its verdict, then the line is put down. */
export function detachedDue(draft: Draft): void {
  const { stream } = draft.call;
  if (!stream.inquired) {
    stream.inquired = true;
    emit(draft, { type: 'carrier.inquire' });
    return;
  }
  hangUp(draft, brokenVerdict());
}

export function modelReady(draft: Draft): void {
  const { model, floor } = draft.call;
  if (model.state !== 'opening') return;
  model.state = 'ready';
  model.readySinceMs = draft.nowMs;
  // What was asked for and not made before is made now; else the conversation is taken up again.
  if (model.epoch > 1 && floor.pending.length === 0 && goesOn(draft))
    wantReply(draft, 'answer', INSTRUCTIONS.modelCameBack);
}

export function modelFailed(draft: Draft, event: Model<'model.failed'>): void {
  const { model, stream, ending, line, settling } = draft.call;
  if (model.state !== 'opening' && model.state !== 'ready') return;
  note(draft, 'model-failed', { kind: event.kind, code: event.code ?? null, retryable: event.retryable });
  const wasReady = model.state === 'ready';
  const { steadyMs, renewDelaysMs } = timingOf(draft.call);
  if (wasReady) model.downSinceMs = draft.nowMs;
  if (wasReady && draft.nowMs - model.readySinceMs >= steadyMs) model.renewals = 0;
  model.state = 'dead';
  model.turn = null;
  abandonTurns(draft);
  if (settling || line.hangUp !== 'none') return;
  resetReplies(draft);
  if (ending.stage !== 'none') {
    // Goodbye audio that the carrier already has is still heard; without it a sentence is owed.
    if (ending.goodbyeDone || ending.stage !== 'farewell') return;
    apologise(draft, MODEL_GONE);
    return;
  }
  const pauseMs = renewDelaysMs[model.renewals];
  if (event.retryable && pauseMs !== undefined) {
    model.renewals += 1;
    draft.call.floor.awaitingSinceMs = null;
    renew(draft, wasReady ? 0 : pauseMs);
    return;
  }
  const verdict = { outcome: 'error', reason: MODEL_REASONS[event.kind], result: null, mayReopen: false } as const;
  // Nobody has answered yet: better a call that never rings through than one that apologises to a stranger.
  if (stream.state === 'none' && line.status !== 'answered') hangUp(draft, verdict);
  // Somebody has just answered: they are told as soon as there is a stream.
  else if (stream.state === 'none') ending.verdict = verdict;
  else apologise(draft, verdict.reason);
}

/** One that was ready is opened again at once; one that could not be opened has a reason, which is given time to pass. */
function renew(draft: Draft, pauseMs: number): void {
  const { model } = draft.call;
  if (pauseMs === 0) return openModel(draft);
  model.state = 'paused';
  model.retryAtMs = draft.nowMs + pauseMs;
}

/** The session is of no use any more: closed by us, and handled as a failure that a new session may mend. */
export function abandonModel(draft: Draft): void {
  const { model } = draft.call;
  if (model.state !== 'opening' && model.state !== 'ready') return;
  emit(draft, { type: 'model.close', epoch: model.epoch });
  modelFailed(draft, { type: 'model.failed', kind: 'dropped', retryable: true });
}

/** A session that is opened while somebody waits on the line must be ready soon. */
export function modelDueMs(draft: Draft): number | null {
  const { model, stream } = draft.call;
  if ((model.state !== 'opening' && model.state !== 'paused') || stream.state !== 'up') return null;
  const joining = !draft.call.floor.opened && model.readySinceMs === 0;
  return joining
    ? stream.upSinceMs + timingOf(draft.call).joinMs
    : Math.max(model.downSinceMs, stream.upSinceMs) + timingOf(draft.call).renewMs;
}

export function modelOverdue(draft: Draft): void {
  dismissModel(draft);
  apologise(draft, 'The speech model did not become ready in time.');
}

export function itemAdded(draft: Draft, event: Model<'model.itemAdded'>): void {
  // Before `ready` the items are the seed of a renewed session: they stand in the transcript already.
  const role = draft.call.model.state === 'opening' ? 'other' : event.role;
  meet(draft, role, event.itemId, event.previousItemId);
}

/** Counted from the answer, as the carrier counts its own limit: a notice before the stream must not cost us the goodbye. */
export function callEndsAtMs(draft: Draft): number | null {
  const { startedAtMs } = draft.call.stream;
  const { answeredAtMs } = draft.call.line;
  return startedAtMs === null ? null : Math.min(startedAtMs, answeredAtMs ?? startedAtMs) + limitsOf(draft.call).callMs;
}

export function ringOverdue(draft: Draft): void {
  const { line } = draft.call;
  const verdict =
    line.status === 'answered'
      ? silentVerdict()
      : ({ outcome: 'no-answer', reason: 'Nobody answered in time.', result: null, mayReopen: false } as const);
  if (line.bound) hangUp(draft, verdict);
  else settle(draft, { ...verdict, outcome: 'unknown', reason: 'The carrier never said what became of the call.' });
}

const MODEL_GONE = 'The speech model was lost in mid-call.';

const MODEL_REASONS: Readonly<Record<Model<'model.failed'>['kind'], string>> = {
  'refused-key': 'The speech model refused the API key. Check OPENAI_API_KEY.',
  'refused-model': 'The speech service does not know the model. Check OPENAI_REALTIME_MODEL.',
  quota: 'The speech model account has no credit left. Top it up, then call again.',
  expired: 'The speech model session reached its longest duration.',
  dropped: MODEL_GONE,
  unreachable: 'The speech model could not be reached. Check the network and OPENAI_WEBSOCKET_URL.',
  untrusted:
    'The certificate of the speech model is not trusted. Check OPENAI_WEBSOCKET_URL, or give the file of its authority as NODE_EXTRA_CA_CERTS.',
  configuration: 'The speech model refused the settings of the call. Check the model, voice and dialect settings.',
  protocol: 'The speech model answered in a way that we do not understand. Check OPENAI_REALTIME_DIALECT.',
};

/** The state of one call: five regions that change independently, and what was derived from them last. */
import type { ReplyPurpose, TurnSpec, UplinkTarget } from './commands.ts';
import type { ItemRole, LineStatus, RequestEvent, TimerName } from './events.ts';
import { TIMER_NAMES } from './events.ts';
import { initialPlayback, type Playback } from './playback.ts';
import type { CallState, Outcome } from './words.ts';

/** The telephone call. */
export interface LineRegion {
  status: LineStatus | null;
  dialled: boolean;
  bound: boolean;
  uncertainSinceMs: number | null;
  inquiries: number;
  dialledAtMs: number;
  /** The carrier has said that it dials: a busy account's calls wait for that in a queue. */
  leftQueueAtMs: number | null;
  /** When the carrier said so. */
  answeredAtMs: number | null;
  hangUp: 'none' | 'wanted' | 'sent' | 'over';
  hangUpTries: number;
  hangUpDueMs: number | null;
}

/** The media stream; `startedAtMs` is the first epoch's, from which the transcript counts. */
export interface StreamRegion {
  state: 'none' | 'up' | 'lost';
  epoch: number;
  startedAtMs: number | null;
  upSinceMs: number;
  lostAtMs: number | null;
  lostHow: 'stopped' | 'dropped' | null;
  inquired: boolean;
  reattached: boolean;
  /** Streams that were asked for and never came up. */
  failures: number;
}

export interface ModelRegion {
  /** `paused`: it could not be opened, and is tried again at `retryAtMs`. */
  state: 'none' | 'opening' | 'paused' | 'ready' | 'dead';
  epoch: number;
  renewals: number;
  retryAtMs: number | null;
  /** Since when there has been no model, over all attempts to open one. */
  downSinceMs: number;
  readySinceMs: number;
  /** What the server was last told about turns. */
  turn: TurnSpec | null;
}

export interface Requested {
  readonly requestId: string;
  readonly purpose: ReplyPurpose;
  readonly instructions: string | undefined;
  readonly atMs: number;
  /** The callee spoke meanwhile, or the call moved on: cancel it when it is created. */
  readonly discard: boolean;
}

export interface ActiveReply {
  readonly replyId: string;
  /** Null for one that the server began by itself. */
  readonly purpose: ReplyPurpose | null;
  /** As it was asked for. */
  readonly instructions: string | undefined;
  readonly discarded: boolean;
  readonly spoke: boolean;
  /** It has called a tool. */
  readonly called: boolean;
  /** The last sign of life of this reply. */
  readonly aliveAtMs: number;
}

export interface Pending {
  readonly purpose: ReplyPurpose;
  readonly instructions: string | undefined;
}

/** Who is speaking, and the reply slot. */
export interface FloorRegion {
  speaking: { readonly itemId: string; readonly sinceMs: number } | null;
  lastSpeechEndMs: number | null;
  calleeHasSpoken: boolean;
  /** The first turn is over: somebody has been answered, or the opener was asked for. */
  opened: boolean;
  firstTurnDone: boolean;
  requested: Requested | null;
  active: ActiveReply | null;
  pending: readonly Pending[];
  requests: number;
  slotTimeouts: number;
  replyFailures: number;
  /** No create before this moment. */
  blockedUntilMs: number | null;
  /** The callee's turn ended then, and nothing has answered it. */
  awaitingSinceMs: number | null;
  awaitingRetries: number;
  /** It has been for us to speak since then. */
  owedSinceMs: number | null;
  /** So long the callee had waited for us before it spoke again, since we were heard last. */
  waitedMs: number;
  /** We answer the next committed turn ourselves, because the server was told not to. */
  answerNextTurn: boolean;
  waitingSinceMs: number;
  waitingUntilMs: number | null;
  nudges: number;
  nudgedAtMs: number | null;
  wordlessInterruptions: number;
  /** Of the items that came whole: how fast this voice speaks. */
  wholeSpeech: { readonly letters: number; readonly ms: number };
  interruptedBy: string | null;
  calleeClosed: boolean;
  agentClosed: boolean;
}

export interface EndingRegion {
  /** `farewell`: a goodbye is being made or played · `grace`: it has been heard · `apology`: the carrier speaks · `handover`: the carrier transfers. */
  stage: 'none' | 'farewell' | 'grace' | 'apology' | 'handover';
  verdict: Verdict | null;
  sinceMs: number;
  deadlineMs: number;
  goodbyeReplyId: string | null;
  goodbyeDone: boolean;
  farewellAsked: boolean;
  graceUntilMs: number | null;
  reopened: number;
  warned: boolean;
  /** The server is being stopped: `draining` politely, `hurried` when there is no more time for that. */
  stop: 'none' | 'draining' | 'hurried';
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly result: string | null;
  /** Long speech over the goodbye opens the conversation again. */
  readonly mayReopen: boolean;
  /** The telephone is not put down but handed over to this extension. */
  readonly transferTo?: string;
}

/** One item of the model's conversation, as a line in the making. */
export interface TurnItem {
  readonly itemId: string;
  readonly role: ItemRole;
  readonly previousItemId: string | null | undefined;
  readonly addedAtMs: number;
  /** Its place in the chain is not known: by time after this moment. */
  readonly orphanUntilMs: number | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly planned: string | null;
  readonly interrupted: boolean;
  readonly estimated: boolean;
  readonly final: boolean;
  /** Moment after which a transcription is not waited for; null when none is expected. */
  readonly textDueMs: number | null;
  readonly line: number | null;
}

/** Of one piece: each change makes a new one. */
export interface TurnsRegion {
  readonly items: readonly TurnItem[];
  /** How many items from the front have been told to the scribe, or passed over. */
  readonly told: number;
  readonly lines: number;
}

export interface Settling {
  readonly sinceMs: number;
  readonly verdict: Verdict;
}

export interface TimerEntry {
  readonly atMs: number;
  readonly setId: number;
}

export interface Call {
  nowMs: number;
  request: RequestEvent | null;
  line: LineRegion;
  stream: StreamRegion;
  model: ModelRegion;
  floor: FloorRegion;
  playback: Playback;
  ending: EndingRegion;
  turns: TurnsRegion;
  settling: Settling | null;
  ended: boolean;
  uplink: UplinkTarget;
  timers: Readonly<Partial<Record<TimerName, TimerEntry>>>;
  timerSets: number;
}

export type Phase =
  | 'queued'
  | 'placing'
  | 'uncertain'
  | 'ringing'
  | 'joining'
  | 'opening'
  | 'talking'
  | 'waiting'
  | 'detached'
  | 'renewing'
  | 'ending'
  | 'hangingUp'
  | 'settling'
  | 'ended';

export function newCall(): Call {
  return {
    nowMs: 0,
    request: null,
    line: {
      status: null,
      dialled: false,
      bound: false,
      uncertainSinceMs: null,
      inquiries: 0,
      dialledAtMs: 0,
      leftQueueAtMs: null,
      answeredAtMs: null,
      hangUp: 'none',
      hangUpTries: 0,
      hangUpDueMs: null,
    },
    stream: {
      state: 'none',
      epoch: 0,
      startedAtMs: null,
      upSinceMs: 0,
      lostAtMs: null,
      lostHow: null,
      inquired: false,
      reattached: false,
      failures: 0,
    },
    model: { state: 'none', epoch: 0, renewals: 0, retryAtMs: null, downSinceMs: 0, readySinceMs: 0, turn: null },
    floor: newFloor(),
    playback: initialPlayback(),
    ending: newEnding(),
    turns: { items: [], told: 0, lines: 0 },
    settling: null,
    ended: false,
    uplink: 'off',
    timers: Object.fromEntries(TIMER_NAMES.map((name) => [name, undefined])),
    timerSets: 0,
  };
}

function newFloor(): FloorRegion {
  return {
    speaking: null,
    lastSpeechEndMs: null,
    calleeHasSpoken: false,
    opened: false,
    firstTurnDone: false,
    requested: null,
    active: null,
    pending: [],
    requests: 0,
    slotTimeouts: 0,
    replyFailures: 0,
    blockedUntilMs: null,
    awaitingSinceMs: null,
    awaitingRetries: 0,
    owedSinceMs: null,
    waitedMs: 0,
    answerNextTurn: false,
    waitingSinceMs: 0,
    waitingUntilMs: null,
    nudges: 0,
    nudgedAtMs: null,
    wordlessInterruptions: 0,
    wholeSpeech: { letters: 0, ms: 0 },
    interruptedBy: null,
    calleeClosed: false,
    agentClosed: false,
  };
}

function newEnding(): EndingRegion {
  return {
    stage: 'none',
    verdict: null,
    sinceMs: 0,
    deadlineMs: 0,
    goodbyeReplyId: null,
    goodbyeDone: false,
    farewellAsked: false,
    graceUntilMs: null,
    reopened: 0,
    warned: false,
    stop: 'none',
  };
}

/** The phase follows from the regions; it is never stored, so it cannot disagree with them. */
export function phaseOf(call: Call): Phase {
  const { line, stream, model, floor, ending } = call;
  if (call.ended) return 'ended';
  if (call.settling) return 'settling';
  if (line.hangUp !== 'none') return 'hangingUp';
  if (!line.dialled) return 'queued';
  if (ending.stage !== 'none') return 'ending';
  if (stream.state === 'none') {
    if (line.uncertainSinceMs !== null) return 'uncertain';
    return line.bound ? 'ringing' : 'placing';
  }
  if (stream.state === 'lost') return 'detached';
  if (model.state !== 'ready') return floor.opened || model.renewals > 0 ? 'renewing' : 'joining';
  if (floor.waitingUntilMs !== null) return 'waiting';
  return floor.opened ? 'talking' : 'opening';
}

/** The state in the words that clients are told. */
export function stateOf(call: Call): CallState {
  const phase = phaseOf(call);
  switch (phase) {
    case 'queued':
      return 'queued';
    case 'placing':
    case 'uncertain':
      return 'dialling';
    case 'ringing':
      return call.line.status === 'ringing' || call.line.status === 'answered' ? 'ringing' : 'dialling';
    case 'joining':
    case 'opening':
    case 'talking':
    case 'waiting':
    case 'detached':
    case 'renewing':
      return 'answered';
    case 'ending':
    case 'hangingUp':
    case 'settling':
      return 'ending';
    case 'ended':
      return 'ended';
    default:
      return phase satisfies never;
  }
}

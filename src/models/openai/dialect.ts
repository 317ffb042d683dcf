import type {
  ConversationItemCreateEvent,
  RealtimeClientEvent,
  ResponseCreateEvent,
  SessionUpdateEvent,
} from 'openai/resources/realtime/realtime';
import type { SeedTurn, TurnSpec } from '../../call/commands.ts';
import type { ModelTool, ReplyRequest } from '../model.ts';
import type { Envelope } from './audio-frames.ts';

/** What of a session's settings a server may refuse without the call being lost. */
export type OptionalPart = 'noiseReduction' | 'transcriptionLanguage' | 'transcription';

/** A session's settings in our words. `transcription` and `noiseReduction` are null when off. */
export interface SessionSettings {
  readonly instructions: string;
  readonly voice: string;
  readonly tools: readonly ModelTool[];
  readonly noiseReduction: 'near_field' | 'far_field' | null;
  readonly transcription: { readonly model: string; readonly language: string | null } | null;
  readonly turn: TurnSettings;
}

export interface TurnSettings extends TurnSpec {
  readonly detection: 'server_vad' | 'semantic_vad';
  readonly threshold: number;
}

/** A message for the server, before it gets its `event_id`. */
export type ClientMessage = { readonly type: string } & Readonly<Record<string, unknown>>;

/** How a server wants to be spoken to. What it says is read by `server-events.ts`, which knows both families of names. */
export interface Dialect {
  readonly headers: Readonly<Record<string, string>>;
  configure(settings: SessionSettings): ClientMessage;
  configureTurn(turn: TurnSettings): ClientMessage;
  seed(turn: SeedTurn): ClientMessage;
  /** `sessionInstructions` are sent again with an addition, because a response's instructions replace the session's. */
  reply(request: ReplyRequest, sessionInstructions: string): ClientMessage;
  cancel(replyId: string): ClientMessage;
  truncate(itemId: string, contentIndex: number, audioEndMs: number): ClientMessage;
  remember(text: string): ClientMessage;
  answerTool(toolCallId: string, output: string): ClientMessage;
  commitInput(): ClientMessage;
  /** Which optional part a refusal names by its `param`; null when none. */
  optionalPart(param: string): OptionalPart | null;
}

/** Types what we build by the vendor's own typings, then forgets them: the session needs only JSON. */
function message<E extends RealtimeClientEvent>(event: E): ClientMessage {
  return { ...event };
}

type GaTurnDetection = NonNullable<
  NonNullable<
    NonNullable<Extract<SessionUpdateEvent['session'], { type: 'realtime' }>['audio']>['input']
  >['turn_detection']
>;

/** How much louder than the setting somebody must be while the turn is guarded. */
const GUARD = 0.25;
const MAX_THRESHOLD = 0.95;

function guardedThreshold(threshold: number): number {
  return Math.max(threshold, Math.min(MAX_THRESHOLD, threshold + GUARD));
}

export function turnDetection(turn: TurnSettings): GaTurnDetection {
  const both = { create_response: turn.create, interrupt_response: turn.interrupt };
  if (turn.detection === 'semantic_vad')
    return { type: 'semantic_vad', eagerness: turn.guarded ? 'low' : 'auto', ...both };
  return {
    type: 'server_vad',
    threshold: turn.guarded ? guardedThreshold(turn.threshold) : turn.threshold,
    prefix_padding_ms: 300,
    silence_duration_ms: Math.round(turn.silenceMs),
    ...both,
  };
}

export function transcriptionOf(settings: SessionSettings): { model: string; language?: string } | null {
  const chosen = settings.transcription;
  if (chosen === null) return null;
  return chosen.language === null ? { model: chosen.model } : { model: chosen.model, language: chosen.language };
}

/** Function tools are flat in Realtime: not nested under `function`, as they are in chat completions. */
export function flatTools(tools: readonly ModelTool[]) {
  return tools.map((tool) => ({
    type: 'function' as const,
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
  }));
}

export function withAddition(sessionInstructions: string, addition: string): string {
  return `${sessionInstructions}\n\n${addition}`;
}

function systemMessage(text: string): ConversationItemCreateEvent {
  return {
    type: 'conversation.item.create',
    item: { type: 'message', role: 'system', content: [{ type: 'input_text', text }] },
  };
}

/** The GA shape of the Realtime API (OpenAI Realtime reference, client events). */
export const gaDialect: Dialect = {
  headers: {},

  configure(settings) {
    return message<SessionUpdateEvent>({
      type: 'session.update',
      session: {
        type: 'realtime',
        output_modalities: ['audio'],
        instructions: settings.instructions,
        audio: {
          input: {
            // No `rate` on µ-law: the server refuses it.
            format: { type: 'audio/pcmu' },
            noise_reduction: settings.noiseReduction === null ? null : { type: settings.noiseReduction },
            transcription: transcriptionOf(settings),
            turn_detection: turnDetection(settings.turn),
          },
          output: { format: { type: 'audio/pcmu' }, voice: settings.voice },
        },
        tools: flatTools(settings.tools),
        tool_choice: 'auto',
      },
    } as SessionUpdateEvent);
  },

  configureTurn(turn) {
    return message<SessionUpdateEvent>({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { turn_detection: turnDetection(turn) } } },
    });
  },

  seed(turn) {
    if (turn.speaker === 'system') return message(systemMessage(turn.text));
    if (turn.speaker === 'callee') {
      return message<ConversationItemCreateEvent>({
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: turn.text }] },
      });
    }
    // A client cannot create assistant audio, only its text.
    return message<ConversationItemCreateEvent>({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: turn.text }] },
    });
  },

  reply(request, sessionInstructions) {
    const event: ResponseCreateEvent = {
      type: 'response.create',
      response: {
        metadata: { requestId: request.requestId, purpose: request.purpose },
        ...(request.instructions === undefined
          ? {}
          : { instructions: withAddition(sessionInstructions, request.instructions) }),
        ...(request.tools ? {} : { tool_choice: 'none' }),
      },
    };
    return message(event);
  },

  cancel(replyId) {
    return message({ type: 'response.cancel', response_id: replyId });
  },

  truncate(itemId, contentIndex, audioEndMs) {
    // The server refuses a fraction.
    const end = Math.max(0, Math.floor(audioEndMs));
    return message({
      type: 'conversation.item.truncate',
      item_id: itemId,
      content_index: contentIndex,
      audio_end_ms: end,
    });
  },

  remember(text) {
    return message(systemMessage(text));
  },

  answerTool(toolCallId, output) {
    return message({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: toolCallId, output },
    });
  },

  commitInput() {
    return message({ type: 'input_audio_buffer.commit' });
  },

  optionalPart(param) {
    if (param.includes('noise_reduction')) return 'noiseReduction';
    if (/transcription\.languages?/.test(param)) return 'transcriptionLanguage';
    if (param.includes('transcription')) return 'transcription';
    return null;
  },
};

/** Around the callee's audio, which is the same in both dialects. Base64 needs no escaping. */
export const appendEnvelope: Envelope = {
  head: Buffer.from('{"type":"input_audio_buffer.append","audio":"', 'latin1'),
  tail: Buffer.from('"}', 'latin1'),
};

import { type SessionConfig, VOICES } from './defaults.ts';
import { type Complaint, complaint } from './failure.ts';
import {
  anything,
  boolean,
  either,
  integer,
  isObject,
  type Json,
  list,
  missingParameter,
  number,
  object,
  oneOf,
  orNull,
  string,
  tagged,
} from './schema.ts';

/** OpenAI Realtime reference, GA. What is not named here is refused, as the service refuses it. */

const FORMAT = tagged('type', {
  'audio/pcm': object({ type: anything, rate: integer(24_000, 24_000) }),
  // No `rate` here: µ-law and A-law have only one.
  'audio/pcmu': object({ type: anything }),
  'audio/pcma': object({ type: anything }),
});

const VOICE = either(object({ id: string }, ['id']), oneOf(...VOICES));

const TURN_FLAGS = { type: anything, create_response: boolean, interrupt_response: boolean };

export const TURN_DETECTION = orNull(
  tagged('type', {
    server_vad: object({
      ...TURN_FLAGS,
      threshold: number(0, 1),
      prefix_padding_ms: integer(0, 60_000),
      silence_duration_ms: integer(0, 60_000),
      idle_timeout_ms: orNull(integer(5_000, 30_000)),
    }),
    semantic_vad: object({ ...TURN_FLAGS, eagerness: oneOf('low', 'medium', 'high', 'auto') }),
  }),
);

export const TRANSCRIPTION = orNull(
  object({
    model: string,
    language: string,
    languages: list(string),
    keywords: list(string),
    prompt: string,
    delay: oneOf('minimal', 'low', 'medium', 'high', 'xhigh'),
  }),
);

export const NOISE_REDUCTION = orNull(object({ type: oneOf('near_field', 'far_field'), strength: anything }, ['type']));

export const TOOLS = list(
  tagged('type', {
    function: object({ type: anything, name: string, description: string, parameters: anything }, ['name']),
    mcp: anything,
  }),
);

export const TOOL_CHOICE = either(
  tagged('type', {
    function: object({ type: anything, name: string }, ['name']),
    mcp: object({ type: anything, server_label: string, name: string }, ['server_label']),
  }),
  oneOf('auto', 'none', 'required'),
);

export const MAX_TOKENS = either(oneOf('inf'), integer(1, 4_096));

const MODALITIES = either(list(oneOf('audio')), list(oneOf('text')));

const TRUNCATION = either(
  object({ type: oneOf('retention_ratio'), retention_ratio: number(0, 1), token_limits: anything }, ['type']),
  oneOf('auto', 'disabled'),
);

const TRACING = orNull(either(object({ workflow_name: string, group_id: string, metadata: anything }), oneOf('auto')));

const SHARED = {
  output_modalities: MODALITIES,
  instructions: string,
  max_output_tokens: MAX_TOKENS,
  tools: TOOLS,
  tool_choice: TOOL_CHOICE,
  parallel_tool_calls: boolean,
  reasoning: object({ effort: oneOf('minimal', 'low', 'medium', 'high', 'xhigh') }),
  prompt: orNull(object({ id: string, version: string, variables: anything }, ['id'])),
};

const SESSION = object(
  {
    ...SHARED,
    type: oneOf('realtime'),
    model: string,
    audio: object({
      input: object({
        format: FORMAT,
        noise_reduction: NOISE_REDUCTION,
        transcription: TRANSCRIPTION,
        turn_detection: TURN_DETECTION,
      }),
      output: object({ format: FORMAT, voice: VOICE, speed: number(0.25, 1.5) }),
    }),
    truncation: TRUNCATION,
    tracing: TRACING,
    include: orNull(list(oneOf('item.input_audio_transcription.logprobs'))),
  },
  ['type'],
);

const METADATA = orNull((value, path) => {
  if (!isObject(value)) return complaint('invalid_type', `Invalid type for '${path}': expected an object.`, path);
  const pairs = Object.entries(value);
  if (pairs.length > 16)
    return complaint('invalid_value', `Invalid '${path}': too many properties (at most 16).`, path);
  const odd = pairs.find(([name, text]) => name.length > 64 || typeof text !== 'string' || text.length > 512);
  return odd === undefined
    ? null
    : complaint('invalid_type', `Invalid type for '${path}.${odd[0]}': expected a string of at most 512.`, path);
});

const RESPONSE = object({
  ...SHARED,
  audio: object({ output: object({ format: FORMAT, voice: VOICE }) }),
  conversation: oneOf('auto', 'none'),
  input: list(anything),
  metadata: METADATA,
});

const PART = {
  input_text: object({ type: anything, text: string }, ['text']),
  input_audio: object({ type: anything, audio: string, transcript: orNull(string) }),
  input_image: object({ type: anything, image_url: string, detail: oneOf('auto', 'low', 'high') }),
  output_text: object({ type: anything, text: string }, ['text']),
  output_audio: object({ type: anything, audio: string, transcript: orNull(string) }),
};

const ITEM_COMMON = {
  id: string,
  type: anything,
  object: oneOf('realtime.item'),
  status: oneOf('in_progress', 'completed', 'incomplete'),
};

function message(...parts: readonly (keyof typeof PART)[]) {
  const shapes = Object.fromEntries(parts.map((name) => [name, PART[name]]));
  return object({ ...ITEM_COMMON, role: anything, content: list(tagged('type', shapes)) }, ['content']);
}

const ITEM = tagged('type', {
  message: tagged('role', {
    user: message('input_text', 'input_audio', 'input_image'),
    system: message('input_text'),
    // A client cannot put words into the assistant's mouth as sound, only as text.
    assistant: message('output_text'),
  }),
  function_call: object({ ...ITEM_COMMON, name: string, call_id: string, arguments: string }, ['name', 'arguments']),
  function_call_output: object({ ...ITEM_COMMON, call_id: string, output: string }, ['call_id', 'output']),
  mcp_approval_response: anything,
});

export function judgeSession(session: unknown): Complaint | null {
  if (session === undefined) return missingParameter('session');
  return SESSION(session, 'session');
}

export function judgeResponse(response: unknown): Complaint | null {
  return response === undefined ? null : RESPONSE(response, 'response');
}

export function judgeItem(item: unknown): Complaint | null {
  return item === undefined ? missingParameter('item') : ITEM(item, 'item');
}

function merged(old: unknown, change: unknown): unknown {
  if (!isObject(old) || !isObject(change)) return change;
  // A shape of another type has nothing in common with the old one.
  if (change.type !== undefined && change.type !== old.type) return change;
  const result: Record<string, unknown> = { ...old };
  for (const [name, value] of Object.entries(change)) result[name] = merged(old[name], value);
  return result;
}

const WHOLE = ['tools', 'tool_choice', 'truncation', 'tracing', 'prompt', 'reasoning'];

/** `old` with the members of a judged `session.update`: only what is present changes, lists and choices as a whole. */
export function mergeSession(
  old: SessionConfig,
  change: Json,
  turnDefaults: Readonly<Record<string, Json>>,
): SessionConfig {
  const { type: _type, model: _model, ...members } = change;
  const result: Record<string, unknown> = { ...old };
  for (const [name, value] of Object.entries(members)) {
    result[name] = WHOLE.includes(name) ? value : merged(result[name], value);
  }
  const config = result as unknown as SessionConfig;
  const turn = config.audio.input.turn_detection;
  if (turn === null) return config;
  const complete = { ...turnDefaults[turn.type], ...turn };
  return {
    ...config,
    audio: { ...config.audio, input: { ...config.audio.input, turn_detection: complete as typeof turn } },
  };
}

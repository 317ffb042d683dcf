import { refuse } from './failure.ts';
import { isObject, type Json } from './schema.ts';

/** The flat shape of the 2024 beta, as compatible servers still speak it: translated to GA on the way in and from GA on the way out. */

const FORMATS: Readonly<Record<string, Json>> = {
  pcm16: { type: 'audio/pcm', rate: 24_000 },
  g711_ulaw: { type: 'audio/pcmu' },
  g711_alaw: { type: 'audio/pcma' },
};

/** Where each flat member lives in the GA session. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  modalities: ['output_modalities'],
  instructions: ['instructions'],
  voice: ['audio', 'output', 'voice'],
  speed: ['audio', 'output', 'speed'],
  input_audio_format: ['audio', 'input', 'format'],
  output_audio_format: ['audio', 'output', 'format'],
  input_audio_transcription: ['audio', 'input', 'transcription'],
  input_audio_noise_reduction: ['audio', 'input', 'noise_reduction'],
  turn_detection: ['audio', 'input', 'turn_detection'],
  tools: ['tools'],
  tool_choice: ['tool_choice'],
  max_response_output_tokens: ['max_output_tokens'],
  tracing: ['tracing'],
  include: ['include'],
};

const RESPONSE_PLACES: Readonly<Record<string, readonly string[]>> = {
  ...PLACES,
  max_output_tokens: ['max_output_tokens'],
  conversation: ['conversation'],
  metadata: ['metadata'],
  input: ['input'],
};

function place(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = isObject(target[first]) ? { ...target[first] } : {};
  target[first] = inner;
  place(inner, rest, value);
}

function deflatten(
  flat: Json,
  places: Readonly<Record<string, readonly string[]>>,
  path: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(flat)) {
    // The temperature was the beta's own; GA has none.
    if (name === 'temperature') continue;
    const where = Object.hasOwn(places, name) ? places[name] : undefined;
    if (where === undefined) refuse('unknown_parameter', `Unknown parameter: '${path}.${name}'.`, `${path}.${name}`);
    place(result, where, inward(name, value, `${path}.${name}`));
  }
  return result;
}

function inward(name: string, value: unknown, path: string): unknown {
  if (name === 'modalities') return Array.isArray(value) && value.includes('audio') ? ['audio'] : ['text'];
  if (!name.endsWith('_audio_format')) return value;
  const format = typeof value === 'string' ? FORMATS[value] : undefined;
  return format ?? refuse('invalid_value', `Invalid value: '${String(value)}'.`, path);
}

/** A beta client event as the GA event that means the same; throws a Refusal on a member that beta does not have. */
export function fromBeta(event: Json): Json {
  if (event.type === 'session.update' && isObject(event.session)) {
    return { ...event, session: { type: 'realtime', ...deflatten(event.session, PLACES, 'session') } };
  }
  if (event.type === 'response.create' && isObject(event.response)) {
    return { ...event, response: deflatten(event.response, RESPONSE_PLACES, 'response') };
  }
  if (event.type === 'conversation.item.create' && isObject(event.item) && Array.isArray(event.item.content)) {
    const content = event.item.content.map((part: unknown) =>
      isObject(part) && part.type === 'text' ? { ...part, type: 'output_text' } : part,
    );
    return { ...event, item: { ...event.item, content } };
  }
  return event;
}

const NAMES: Readonly<Record<string, string>> = {
  'response.output_text.delta': 'response.text.delta',
  'response.output_text.done': 'response.text.done',
  'response.output_audio.delta': 'response.audio.delta',
  'response.output_audio.done': 'response.audio.done',
  'response.output_audio_transcript.delta': 'response.audio_transcript.delta',
  'response.output_audio_transcript.done': 'response.audio_transcript.done',
  'conversation.item.added': 'conversation.item.created',
};

const CONTENT: Readonly<Record<string, string>> = { output_text: 'text', output_audio: 'audio' };

function itemOut(item: unknown): unknown {
  if (!isObject(item) || !Array.isArray(item.content)) return item;
  const content = item.content.map((part: unknown) =>
    isObject(part) ? { ...part, type: CONTENT[String(part.type)] ?? part.type } : part,
  );
  return { ...item, content };
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

function formatOut(format: unknown): unknown {
  return Object.entries(FORMATS).find(([, ga]) => isObject(format) && ga.type === format.type)?.[0] ?? format;
}

function sessionOut(session: Json): Json {
  const { id, object, model, expires_at } = session;
  const flat: Record<string, unknown> = { id, object, model, expires_at, temperature: 0.8 };
  for (const [name, path] of Object.entries(PLACES)) {
    const value = at(session, path);
    flat[name] = name.endsWith('_audio_format') ? formatOut(value) : value;
  }
  flat.modalities = Array.isArray(flat.modalities) && flat.modalities.includes('audio') ? ['audio', 'text'] : ['text'];
  return flat;
}

function responseOut(response: Json): Json {
  const { audio, output_modalities, ...rest } = response;
  return {
    ...rest,
    modalities: Array.isArray(output_modalities) && output_modalities.includes('audio') ? ['audio', 'text'] : ['text'],
    voice: at(audio, ['output', 'voice']),
    output_audio_format: formatOut(at(audio, ['output', 'format'])),
    output: Array.isArray(response.output) ? response.output.map(itemOut) : [],
  };
}

/** A GA server event as beta says it; null when beta has no such event. */
export function toBeta(event: Json): Json | null {
  const type = String(event.type);
  if (type === 'conversation.item.done') return null;
  const result: Record<string, unknown> = { ...event, type: NAMES[type] ?? type };
  if (isObject(event.session)) result.session = sessionOut(event.session);
  if (isObject(event.response)) result.response = responseOut(event.response);
  if (event.item !== undefined) result.item = itemOut(event.item);
  return result;
}

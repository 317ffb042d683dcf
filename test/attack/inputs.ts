/** What is thrown at each surface. A generator gives one input a call; `grave` ones are likely to end what they are thrown at. */
import type { Random } from '../fuzz/random.ts';
import { bytes, damage, deep, type Json, longText, mutate, oddValue, pick } from './mutations.ts';
import type { CapturedCall } from './target.ts';

export type Input = string | Buffer;

function written(random: Random, message: Json): string {
  const text = JSON.stringify(random.chance(0.75) ? mutate(random, message) : message);
  return random.chance(0.25) ? damage(random, text) : text;
}

// ---- The media stream ---------------------------------------------------------------------------------------------------------

export function mediaInput(random: Random, call: CapturedCall, grave: boolean): Input {
  const { streamSid } = call;
  const payload = bytes(random, 320).toString('base64');
  const messages: readonly Json[] = [
    {
      event: 'media',
      sequenceNumber: '4',
      media: { track: 'inbound', chunk: '2', timestamp: String(random.whole(0, 100_000)), payload },
      streamSid,
    },
    { event: 'mark', sequenceNumber: '5', streamSid, mark: { name: `g${random.whole(0, 3)}:${random.whole(0, 9)}` } },
    {
      event: 'dtmf',
      streamSid,
      sequenceNumber: '6',
      dtmf: { track: 'inbound_track', digit: pick(random, ['1', '#']) },
    },
    { event: 'connected', protocol: 'Call', version: '1.0.0' },
    call.startMessage('somebody') as Json,
    { event: 'tomorrow', streamSid, tomorrow: {} },
  ];
  if (grave && random.chance(0.1)) return JSON.stringify({ event: 'stop', streamSid, stop: {} });
  if (grave && random.chance(0.1)) return Buffer.alloc(random.whole(200, 300) * 1024, '{"event":"media",');
  if (random.chance(0.08)) return bytes(random);
  return written(random, random.chance(0.5) ? (messages[0] ?? null) : pick(random, messages));
}

/** Bytes that are no proper WebSocket frames (RFC 6455, 5.2). */
export function brokenFrames(random: Random): Buffer {
  return pick(random, [
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
    // Not masked, though from a client.
    Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
    // A length of 2^63 - 1.
    Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    // A text that is no UTF-8.
    Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc0, 0xaf]),
    // A ping of more than 125 bytes.
    Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]),
    // A continuation of nothing.
    Buffer.from([0x80, 0x80, 0, 0, 0, 0]),
    // Fragments without an end.
    Buffer.concat(
      Array.from({ length: 20_000 }, (_, index) => Buffer.from([index === 0 ? 0x01 : 0x00, 0x80, 0, 0, 0, 0])),
    ),
    // Pings whose answers nobody wants.
    Buffer.concat(Array.from({ length: 5_000 }, () => Buffer.from([0x89, 0x80, 0, 0, 0, 0]))),
    bytes(random, 2_000),
  ]);
}

// ---- The model ----------------------------------------------------------------------------------------------------------------

const HARMLESS_CODES = [
  'conversation_already_has_active_response',
  'response_cancel_not_active',
  'rate_limit_exceeded',
  'x',
];
const GRAVE_CODES = ['session_expired', 'insufficient_quota', 'invalid_api_key', 'server_error'];

export function modelInput(random: Random, ids: readonly string[], grave: boolean): Input {
  const id = () => (ids.length > 0 && random.chance(0.6) ? pick(random, ids) : `item_${random.whole(0, 30)}`);
  const usage = { input_tokens: 3, input_token_details: { text_tokens: 1, audio_tokens: 2 }, output_tokens: 5 };
  const status = pick(random, ['completed', 'cancelled', 'incomplete', 'failed']);
  const code = pick(random, grave ? GRAVE_CODES : HARMLESS_CODES);
  const delta = bytes(random, 800).toString('base64');
  const place = { response_id: id(), item_id: id(), output_index: 0, content_index: 0 };
  const call = { id: id(), type: 'function_call', status: 'completed', call_id: id() };
  const messages: readonly Json[] = [
    { type: 'session.created', session: { id: 'sess_x', expires_at: 1_790_000_000 } },
    { type: 'session.updated', session: { id: 'sess_x', expires_at: 1_790_000_000 } },
    { type: 'input_audio_buffer.speech_started', item_id: id(), audio_start_ms: random.whole(0, 90_000) },
    { type: 'input_audio_buffer.speech_stopped', item_id: id(), audio_end_ms: random.whole(0, 90_000) },
    { type: 'input_audio_buffer.committed', item_id: id(), previous_item_id: random.chance(0.5) ? id() : null },
    {
      type: 'conversation.item.added',
      previous_item_id: random.chance(0.7) ? id() : null,
      item: { id: id(), type: 'message', role: pick(random, ['user', 'assistant', 'system']), content: [] },
    },
    { type: 'conversation.item.truncated', item_id: id(), content_index: 0, audio_end_ms: 20 },
    {
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: id(),
      content_index: 0,
      transcript: random.chance(0.05) ? longText(random) : 'Hello, for four people?',
    },
    { type: 'conversation.item.input_audio_transcription.failed', item_id: id(), error: { code: 'x' } },
    { type: 'error', error: { type: 'invalid_request_error', code, message: 'No.', param: null, event_id: null } },
    { type: 'response.created', response: { id: id(), status: 'in_progress', metadata: null } },
    { type: 'response.output_audio.delta', ...place, delta },
    { type: 'response.audio.delta', ...place, delta },
    { type: 'response.output_audio_transcript.delta', ...place, delta: 'Good evening, ' },
    { type: 'response.output_audio_transcript.done', ...place, transcript: 'Good evening, this is a test.' },
    {
      type: 'response.output_item.done',
      response_id: id(),
      item: { id: id(), type: 'message', role: 'assistant', status: pick(random, ['completed', 'incomplete']) },
    },
    {
      type: 'response.output_item.done',
      response_id: id(),
      item: { ...call, name: 'stay_quiet', arguments: '{"seconds":1}' },
    },
    {
      type: 'response.output_item.done',
      response_id: id(),
      item: { ...call, name: 'no_such_tool', arguments: deep(50, 'object') },
    },
    { type: 'response.done', response: { id: id(), status, status_details: { reason: 'turn_detected' }, usage } },
    { type: 'rate_limits.updated', rate_limits: [] },
    { type: 'something.of.tomorrow', nothing: null },
  ];
  if (grave && random.chance(0.02)) return `{"type":"${'x'.repeat(5 * 1024 * 1024)}"}`;
  if (!grave) return random.chance(0.04) ? bytes(random) : written(random, pick(random, messages));
  const deadly: readonly Json[] = [
    { type: 'error', error: { type: 'server_error', code, message: 'Over.', event_id: null } },
    {
      type: 'response.output_item.done',
      response_id: id(),
      item: { ...call, name: 'end_call', arguments: '{"outcome":"x"}' },
    },
    { type: 'response.done', response: { id: id(), status: 'failed', status_details: { error: { code } } } },
  ];
  return JSON.stringify(pick(random, [...messages, ...deadly]));
}

// ---- Webhooks -----------------------------------------------------------------------------------------------------------------

/** Fields of a webhook that is signed all the same. */
export function webhookFields(
  random: Random,
  fields: Readonly<Record<string, string>>,
): Record<string, string | string[]> {
  const changed: Record<string, string | string[]> = { ...fields };
  const text = (): string => {
    const value = oddValue(random);
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  for (let times = random.whole(0, 4); times > 0; times -= 1) {
    const name = pick(random, [
      ...Object.keys(fields),
      'SequenceNumber',
      'SipResponseCode',
      'CallStatus',
      '__proto__',
      'zz',
    ]);
    const repeated = random.chance(0.2);
    const value = repeated ? Array.from({ length: random.whole(2, 30) }, text) : text();
    Object.defineProperty(changed, name, { value, enumerable: true, configurable: true, writable: true });
    if (random.chance(0.1)) delete changed[name];
  }
  if (random.chance(0.3)) {
    changed.RecordingSid = `RE${'0'.repeat(31)}${random.whole(0, 9)}`;
    changed.RecordingStatus = pick(random, ['completed', 'in-progress', 'absent', 'constructor', '']);
    changed.RecordingUrl = pick(random, ['https://api.example.com/r', 'file:///etc/passwd', 'x'.repeat(600)]);
    changed.RecordingStartTime = pick(random, ['Mon, 05 Jan 2026 10:00:00 +0000', '', '+275760-09-13']);
  }
  if (random.chance(0.1)) changed.CallStatus = pick(random, ['queued', 'ringing', 'answered', 'levitating', '']);
  if (random.chance(0.2)) changed.SequenceNumber = String(random.whole(0, 9));
  if (random.chance(0.02)) changed.Long = longText(random, 70_000);
  if (random.chance(0.05)) for (let index = 0; index < 400; index += 1) changed[`Field${index}`] = 'x';
  return changed;
}

// ---- HTTP ---------------------------------------------------------------------------------------------------------------------

/** Bytes for the public listener, from which nobody has proved who they are. */
export function httpInput(random: Random): Buffer {
  const path = pick(random, [
    '/',
    '/health',
    '/health?nonce=%00',
    '/call/outgoing/x',
    '/call/status/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/call/outgoing/../../../etc/passwd',
    '/call/after/%ff%fe',
    `/call/outgoing/${'a'.repeat(random.whole(1, 18_000))}`,
    '/call/connection-outgoing/x',
    '/call/connection-outgoing/x/.websocket',
    'http://evil.example.com/call/outgoing/x',
    '*',
    '//evil.example.com/health',
    '/call/outgoing/x?a[b][c]=1&a[__proto__]=2',
    '/metrics',
    '/mcp',
  ]);
  const method = pick(random, ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'BREW', 'get', '']);
  const version = pick(random, ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']);
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
  const headers = pick(random, [
    'Host: x',
    'Host: x\r\nContent-Length: 5',
    'Host: x\r\nContent-Length: -1',
    'Host: x\r\nContent-Length: 99999999999999999999',
    'Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
    'Host: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded',
    'Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\nContent-Length: 5',
    `Host: x\r\nContent-Type: application/x-www-form-urlencoded; charset=${longText(random, 300)}\r\nContent-Length: 5`,
    `Host: ${longText(random, 3_000)}`,
    `Host: x\r\n${'A: b\r\n'.repeat(random.whole(1, 3_000))}Z: z`,
    `Host: x\r\nX-Twilio-Signature: ${'A'.repeat(random.whole(0, 10_000))}\r\nContent-Length: 5`,
    'Host: x\r\nExpect: 100-continue\r\nContent-Length: 5',
    `Host: x\r\n${upgrade}`,
    `Host: x\r\n${upgrade.replace('13', '999')}`,
    `Host: x\r\n${upgrade.replace('AAAA', '')}\r\nX-Twilio-Signature: x`,
    'Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c',
    'Host: x\r\nUpgrade: websocket',
    'Host: x\r\n folded: yes\r\nBad Header: x',
    '',
  ]);
  const body = pick(random, [
    '',
    'a=b&c',
    'zz\r\n',
    '5\r\nabcde\r\n0\r\n\r\n',
    longText(random, 2_000),
    deep(500, 'array'),
  ]);
  const text = `${method} ${path} ${version}\r\n${headers}\r\n\r\n${body}`;
  const plain = Buffer.from(random.chance(0.2) ? text.repeat(random.whole(2, 20)) : text);
  if (random.chance(0.15)) return bytes(random, 3_000);
  return random.chance(0.15) ? plain.subarray(0, random.whole(0, plain.length)) : plain;
}

// ---- MCP ----------------------------------------------------------------------------------------------------------------------

export interface McpInput {
  readonly line: Input;
  /** The id under which an answer has to come; null when the line is no request that could have one. */
  readonly id: string | null;
}

export function mcpInput(
  random: Random,
  id: string,
  tools: readonly { readonly name: string; readonly args: Json }[],
): McpInput {
  const tool = pick(random, tools);
  const args = random.chance(0.85) ? mutate(random, tool.args) : deepArguments(random);
  const bodies: readonly { method: string; params: Json }[] = [
    { method: 'tools/call', params: { name: tool.name, arguments: args } },
    { method: 'tools/call', params: mutate(random, { name: tool.name, arguments: tool.args }) },
    { method: 'resources/read', params: mutate(random, { uri: 'call://transcriptions/latest' }) },
    { method: 'resources/subscribe', params: mutate(random, { uri: 'call://transcriptions' }) },
    { method: 'prompts/get', params: mutate(random, { name: 'leave-message', arguments: {} }) },
    { method: 'completion/complete', params: mutate(random, { ref: { type: 'ref/prompt', name: 'x' }, argument: {} }) },
    { method: pick(random, ['tools/list', 'no/such', '', '__proto__', 'toString']), params: {} },
    { method: 'logging/setLevel', params: { level: 'x' } },
  ];
  const body = random.chance(0.6) ? bodies[0] : pick(random, bodies);
  const request: Json = { jsonrpc: '2.0', id, method: body?.method ?? '', params: body?.params ?? {} };
  if (
    random.chance(0.75) &&
    typeof request.params === 'object' &&
    !Array.isArray(request.params) &&
    request.params !== null
  ) {
    return { line: JSON.stringify(request), id };
  }
  if (random.chance(0.03)) return { line: 'x'.repeat(random.whole(1, 3) * 700_000), id: null };
  const broken = random.chance(0.2) ? bytes(random) : damage(random, JSON.stringify(mutate(random, request)));
  return {
    line:
      typeof broken === 'string'
        ? broken.replaceAll(/[\r\n]/g, ' ')
        : (broken.filter((byte) => byte !== 10 && byte !== 13) as Buffer),
    id: null,
  };
}

function deepArguments(random: Random): Json {
  return JSON.parse(deep(pick(random, [10, 200, 3_000]), 'object'));
}

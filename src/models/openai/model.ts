import type { Model } from '../model.ts';
import { betaDialect } from './beta-dialect.ts';
import { gaDialect } from './dialect.ts';
import { type Log, openSession } from './session.ts';
import type { Clock } from './socket.ts';

export interface OpenAiModelOptions {
  readonly apiKey: string;
  /** Where the Realtime server listens; `?model=` is added when the address names no model, deployment, intent or call. */
  readonly url: string;
  readonly model: string;
  /** `beta` for servers that still speak the flat shape of 2024. */
  readonly dialect: 'ga' | 'beta';
  /** `off` to go without the callee's words. */
  readonly transcriptionModel: string;
  readonly noiseReduction: 'near_field' | 'far_field' | 'off';
  readonly turnDetection: 'server_vad' | 'semantic_vad';
  /** 0–1; louder speech is needed to interrupt when it is higher. */
  readonly vadThreshold: number;
  /** From the first packet to `model.ready`. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How often the connection is proven alive; two silent rounds and it is given up. Somebody is waiting on the line: what is lost
   * must show within seconds.
   */
  readonly heartbeatMs?: number | undefined;
  readonly clock: Clock;
  readonly logger?: Log;
  /** PEM certificates to trust besides the usual ones. */
  readonly ca?: string | Buffer;
}

/** The OpenAI Realtime API, or a server that speaks like it. Chunk ids are unique for the life of the model. */
export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const dialect = options.dialect === 'beta' ? betaDialect : gaDialect;
  const target = addressOf(options);
  let chunks = 0;
  const nextChunkId = () => {
    chunks += 1;
    return chunks;
  };
  const transcriptionModel = options.transcriptionModel === 'off' ? null : options.transcriptionModel;
  return {
    name: 'openai',
    ...(isOpenAi(target.url) ? { voices: VOICES } : {}),
    billed: { model: target.model, transcriptionModel },
    open: (spec, emit) =>
      openSession({
        spec,
        emit,
        dialect,
        nextChunkId,
        transcriptionModel,
        noiseReduction: options.noiseReduction === 'off' ? null : options.noiseReduction,
        turnDetection: options.turnDetection,
        vadThreshold: options.vadThreshold,
        connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
        log: options.logger ?? null,
        socket: {
          url: target.url,
          headers: { ...target.headers, ...dialect.headers },
          ca: options.ca,
          heartbeatMs: options.heartbeatMs ?? 2_000,
          clock: options.clock,
        },
      }),
  };
}

/** OpenAI's own (Realtime API reference, `session.audio.output.voice`); servers that speak like it have others. */
const VOICES = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'] as const;

function isOpenAi(url: string): boolean {
  return URL.parse(url)?.hostname === 'api.openai.com';
}

/** The address to connect to and the headers that carry the key. An address that cannot be read is left for the socket to refuse. */
export function addressOf(options: Pick<OpenAiModelOptions, 'apiKey' | 'url' | 'model'>): {
  url: string;
  model: string;
  headers: Record<string, string>;
} {
  const headers: Record<string, string> = { Authorization: `Bearer ${options.apiKey}` };
  const url = URL.parse(options.url);
  if (url === null) return { url: options.url, model: options.model, headers };
  const named = ['model', 'deployment', 'intent', 'call_id'].some((name) => url.searchParams.has(name));
  if (!named) url.searchParams.set('model', options.model);
  // Azure OpenAI takes a resource's key in a header of its own.
  if (url.hostname.endsWith('.openai.azure.com')) headers['api-key'] = options.apiKey;
  const model = url.searchParams.get('model') ?? url.searchParams.get('deployment') ?? options.model;
  return { url: url.href, model, headers };
}

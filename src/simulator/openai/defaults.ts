/** What a session is before its client has said anything (as captured on the wire in 2026: silence is 200 ms, whatever the guide says). */

export type AudioFormat =
  | { readonly type: 'audio/pcm'; readonly rate: 24000 }
  | { readonly type: 'audio/pcmu' }
  | { readonly type: 'audio/pcma' };

export interface ServerVad {
  readonly type: 'server_vad';
  readonly threshold: number;
  readonly prefix_padding_ms: number;
  readonly silence_duration_ms: number;
  readonly idle_timeout_ms: number | null;
  readonly create_response: boolean;
  readonly interrupt_response: boolean;
}

export interface SemanticVad {
  readonly type: 'semantic_vad';
  readonly eagerness: 'low' | 'medium' | 'high' | 'auto';
  readonly create_response: boolean;
  readonly interrupt_response: boolean;
}

export type TurnDetection = ServerVad | SemanticVad | null;

export interface Tool {
  readonly type: string;
  readonly name?: string;
}

/** The members of a session that a client may set; the rest (`id`, `model`, …) are the server's. */
export interface SessionConfig {
  readonly output_modalities: readonly string[];
  readonly instructions: string;
  readonly audio: {
    readonly input: {
      readonly format: AudioFormat;
      readonly transcription: { readonly model?: string; readonly language?: string } | null;
      readonly noise_reduction: { readonly type: string } | null;
      readonly turn_detection: TurnDetection;
    };
    readonly output: {
      readonly format: AudioFormat;
      readonly voice: string | { readonly id: string };
      readonly speed: number;
    };
  };
  readonly max_output_tokens: number | 'inf';
  readonly truncation: unknown;
  readonly tools: readonly Tool[];
  readonly tool_choice: unknown;
  readonly tracing: unknown;
  readonly prompt: unknown;
  readonly include: unknown;
  readonly reasoning?: unknown;
  readonly parallel_tool_calls?: boolean;
}

export const DEFAULT_SERVER_VAD: ServerVad = {
  type: 'server_vad',
  threshold: 0.5,
  prefix_padding_ms: 300,
  silence_duration_ms: 200,
  idle_timeout_ms: null,
  create_response: true,
  interrupt_response: true,
};

export const DEFAULT_SEMANTIC_VAD: SemanticVad = {
  type: 'semantic_vad',
  eagerness: 'auto',
  create_response: true,
  interrupt_response: true,
};

export const DEFAULT_CONFIG: SessionConfig = {
  output_modalities: ['audio'],
  instructions:
    'Your knowledge cutoff is 2023-10. You are a helpful, witty, and friendly AI. Act like a human, but remember that you are not one.',
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24000 },
      transcription: null,
      noise_reduction: null,
      turn_detection: DEFAULT_SERVER_VAD,
    },
    output: { format: { type: 'audio/pcm', rate: 24000 }, voice: 'alloy', speed: 1 },
  },
  max_output_tokens: 'inf',
  truncation: 'auto',
  tools: [],
  tool_choice: 'auto',
  tracing: null,
  prompt: null,
  include: null,
};

export const VOICES = [
  'alloy',
  'ash',
  'ballad',
  'coral',
  'echo',
  'sage',
  'shimmer',
  'verse',
  'marin',
  'cedar',
] as const;

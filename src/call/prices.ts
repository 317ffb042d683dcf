/** What calls cost per token and per minute: data with a date, which an operator can override. US dollars. */

/**
 * US dollars per million tokens; per minute where a model bills by the time of the audio. A price that is absent is not known. An
 * `estimated` entry was not read on a current page of the vendor's.
 */
export interface ModelPrices {
  /** Day on which the prices held, `YYYY-MM-DD`. */
  readonly dated: string;
  readonly estimated?: boolean;
  readonly audioInput?: number;
  readonly audioCached?: number;
  readonly audioOutput?: number;
  readonly textInput?: number;
  readonly textCached?: number;
  readonly textOutput?: number;
  readonly perMinute?: number;
}

/** US dollars per minute; a minute that has begun counts whole. */
export interface CarrierPrices {
  readonly dated: string;
  readonly estimated?: boolean;
  /** Of the audio stream between the carrier and us. */
  readonly streamPerMinute?: number;
  readonly recordingPerMinute?: number;
  /** By the ISO 3166 code of the country on the other side. */
  readonly countries: Readonly<Record<string, CountryPrices>>;
}

export interface CountryPrices {
  readonly estimated?: boolean;
  readonly outboundPerMinute?: number;
  readonly inboundPerMinute?: number;
}

export interface Prices {
  /** By the model's name, speech and transcription models alike. */
  readonly models: Readonly<Record<string, ModelPrices>>;
  /** By the carrier's name. */
  readonly carriers: Readonly<Record<string, CarrierPrices>>;
}

/** The oldest of the stored pages that the figures were read from. */
const OPENAI_DATED = '2026-09-14';
const TWILIO_DATED = '2026-07-29';

const large = { audioInput: 32, audioCached: 0.4, audioOutput: 64, textInput: 4, textCached: 0.4 };
const mini = { audioInput: 10, audioCached: 0.3, audioOutput: 20, textInput: 0.6, textCached: 0.06, textOutput: 2.4 };

/**
 * Models: developers.openai.com/api/docs/pricing and the models' own pages. Carrier: Twilio's voice pricing pages for the United
 * States and Australia, of which the American outbound price is approximate and was not verified again.
 */
export const PRICES: Prices = {
  models: {
    'gpt-realtime-2.1': { dated: OPENAI_DATED, ...large, textOutput: 24 },
    'gpt-realtime-2': { dated: OPENAI_DATED, ...large, textOutput: 24 },
    'gpt-realtime-1.5': { dated: OPENAI_DATED, ...large, textOutput: 16 },
    // Believed to cost what its successor costs; its own page was not seen.
    'gpt-realtime': { dated: OPENAI_DATED, estimated: true, ...large, textOutput: 16 },
    'gpt-realtime-2.1-mini': { dated: OPENAI_DATED, ...mini },
    'gpt-realtime-mini': { dated: OPENAI_DATED, ...mini },
    'gpt-transcribe': { dated: OPENAI_DATED, perMinute: 0.0045 },
    'gpt-live-transcribe': { dated: OPENAI_DATED, perMinute: 0.017 },
    'gpt-realtime-whisper': { dated: OPENAI_DATED, perMinute: 0.017 },
  },
  carriers: {
    twilio: {
      dated: TWILIO_DATED,
      streamPerMinute: 0.0044,
      recordingPerMinute: 0.0025,
      countries: {
        US: { estimated: true, outboundPerMinute: 0.014, inboundPerMinute: 0.0085 },
        AU: { inboundPerMinute: 0.01 },
      },
    },
    // One's own servers: what the trunks behind them cost only their operator knows, and can put into PRICES_FILE.
    asterisk: { dated: OPENAI_DATED, streamPerMinute: 0, recordingPerMinute: 0, countries: {} },
    '3cx': { dated: OPENAI_DATED, streamPerMinute: 0, recordingPerMinute: 0, countries: {} },
  },
};

import type { Item } from './conversation.ts';
import type { Json } from './schema.ts';

const CHARACTERS_PER_TOKEN = 4;
const CALLER_MS_PER_TOKEN = 100;
const ASSISTANT_MS_PER_TOKEN = 50;
/** The cache holds whole blocks of a prefix that was sent before. */
const CACHE_BLOCK = 64;

function textTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

function textOf(item: Item): string {
  return item.content.map((part) => part.text ?? '').join('') + item.args + (item.output ?? '');
}

/** What one session has been billed: every response pays for the whole conversation again, part of it from the cache. */
export class Meter {
  private seenText = 0;
  private seenAudio = 0;

  /** A truncation changes what was sent before, so that the cache no longer fits. */
  bust(): void {
    this.seenText = 0;
    this.seenAudio = 0;
  }

  /** `history` is what the response was given, `produced` what it made of it. */
  bill(instructions: string, history: readonly Item[], produced: readonly Item[]): Json {
    const text = textTokens(instructions) + history.reduce((sum, item) => sum + textTokens(textOf(item)), 0);
    const audio = history.reduce((sum, item) => {
      const msPerToken = item.role === 'assistant' ? ASSISTANT_MS_PER_TOKEN : CALLER_MS_PER_TOKEN;
      return sum + Math.ceil(item.audioMs / msPerToken);
    }, 0);
    const cachedText = Math.min(text, Math.floor(this.seenText / CACHE_BLOCK) * CACHE_BLOCK);
    const cachedAudio = Math.min(audio, Math.floor(this.seenAudio / CACHE_BLOCK) * CACHE_BLOCK);
    this.seenText = text;
    this.seenAudio = audio;
    const outText = produced.reduce(
      (sum, item) =>
        sum + textTokens(textOf(item)) + textTokens(item.content.map((part) => part.transcript ?? '').join('')),
      0,
    );
    const outAudio = produced.reduce((sum, item) => sum + Math.ceil(item.audioMs / ASSISTANT_MS_PER_TOKEN), 0);
    return {
      total_tokens: text + audio + outText + outAudio,
      input_tokens: text + audio,
      output_tokens: outText + outAudio,
      input_token_details: {
        text_tokens: text,
        audio_tokens: audio,
        image_tokens: 0,
        cached_tokens: cachedText + cachedAudio,
        cached_tokens_details: { text_tokens: cachedText, audio_tokens: cachedAudio, image_tokens: 0 },
      },
      output_token_details: { text_tokens: outText, audio_tokens: outAudio },
    };
  }
}

import type { Line } from '../call/words.ts';
import { clean } from '../mcp/quotation.ts';

/** `m:ss.t` since the stream's start. */
export function clockText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = ((ms % 60_000) / 1_000).toFixed(1).padStart(4, '0');
  return `${minutes}:${seconds}`;
}

/** One line of the transcript for a terminal; control characters of a stranger's words are dropped. */
export function speakerText(line: Pick<Line, 'speaker' | 'text' | 'planned' | 'interrupted'>): string {
  const cut = line.interrupted ? ' —' : '';
  return `${line.speaker.padEnd(7)} ${plain(line.text)}${cut}`;
}

/** A stranger's words, which must not steer the terminal. */
export function plain(text: string): string {
  return clean(text);
}

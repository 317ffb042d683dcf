import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { msOfBytes } from '../../media/mulaw.ts';
import type { Phrase, Word } from './phrasebook.ts';

interface ListedPhrase {
  readonly id: string;
  readonly voice: 'agent' | 'callee';
  readonly language: string;
  readonly text: string;
  readonly words: readonly Word[];
}

const HERE = dirname(fileURLToPath(import.meta.url));

/** Walks up, because this code runs both from `src/simulator/speech` and bundled into `dist`. */
function speechFolder(): string {
  for (let folder = HERE; ; folder = dirname(folder)) {
    const candidate = join(folder, 'assets', 'speech');
    if (existsSync(join(candidate, 'phrases.json'))) return candidate;
    if (folder === dirname(folder)) throw new Error(`No assets/speech folder in or above ${HERE}`);
  }
}

let loaded: readonly Phrase[] | undefined;

/** Every recorded phrase, in the order of `assets/speech/phrases.json`. Read from disk once; the clips must not be written to. */
export function loadPhrasebook(): readonly Phrase[] {
  if (loaded === undefined) {
    const folder = speechFolder();
    const listed = JSON.parse(readFileSync(join(folder, 'phrases.json'), 'utf8')) as ListedPhrase[];
    loaded = listed.map(({ id, voice, language, text, words }) => {
      const audio = new Uint8Array(readFileSync(join(folder, `${id}.ulaw`)));
      return { id, voice, language, text, words, audio, durationMs: msOfBytes(audio.byteLength) };
    });
  }
  return loaded;
}

/** The phrase with this id; throws a RangeError on an id that is not in the book. */
export function phrase(id: string): Phrase {
  const found = loadPhrasebook().find((one) => one.id === id);
  if (found === undefined) throw new RangeError(`There is no phrase ${id}`);
  return found;
}

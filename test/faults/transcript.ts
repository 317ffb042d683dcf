import type { Line } from '../../src/call/words.ts';
import type { EndedCall } from '../journeys/office.ts';
import type { Person } from './person.ts';

interface Heard {
  /** Sentences that were heard to their end, in order. */
  readonly all: readonly string[];
  /** So many of them before the fault struck. */
  readonly beforeFault: number;
}

export function heardInFull(person: Person): readonly string[] {
  const whole = person.scripted.ear.heardPhrases.filter((one) => one.reach >= one.phrase.audio.byteLength);
  return whole.map((one) => one.phrase.text);
}

/** What the callee heard to its end is in the transcript, in order; what ended with a broken stream may stand there as cut. */
export function checkLines(heard: Heard, ended: EndedCall, must: (holds: boolean, what: string) => void): void {
  const lines = ended.lines.filter(({ speaker }) => speaker === 'agent');
  let at = 0;
  heard.all.forEach((text, index) => {
    const isIt = (line: Line): boolean =>
      line.text === text || (index >= heard.beforeFault && line.estimated && line.planned === text);
    const found = lines.findIndex((line, place) => place >= at && isIt(line));
    must(found >= 0, `"${text}" was heard and is not in the transcript: ${lines.map((line) => line.text).join(' | ')}`);
    if (found >= 0) at = found + 1;
  });
  const indices = ended.lines.map(({ index }) => index);
  must(
    indices.every((index, place) => index === place),
    `lines are numbered ${indices.join(', ')}`,
  );
  must(ended.lineCount === ended.lines.length, `${ended.lineCount} lines are counted, ${ended.lines.length} read`);
}

/** Each sentence that the callee has finished has a line, with its words or with a placeholder. */
export function checkCalleeLines(
  person: Person,
  ended: EndedCall,
  mayMiss: number,
  must: (holds: boolean, what: string) => void,
): void {
  const said = person.scripted.said.filter(({ endMs }) => endMs !== null).map(({ phraseId }) => phraseId);
  const lines = ended.lines.filter(({ speaker }) => speaker === 'callee');
  must(
    lines.length >= said.length - mayMiss,
    `the callee said ${said.join(', ')} and has ${lines.length} lines: ${lines.map((line) => line.text).join(' | ')}`,
  );
}

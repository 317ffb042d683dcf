/** Which of the lists a change of a call makes out of date. */
import type { CallControlClock } from './call-control.ts';
import type { LivingCallControl } from './client.ts';
import { THREECX_LISTS, type ThreeCxList } from './operations.ts';

/** A call makes several events within milliseconds; one notice is enough, and the PBX is not asked all the time. */
const CALM_MS = 250;

/** Tells which list has changed, at most once in `CALM_MS` each, and all of them whenever everything was looked at again: of extensions and messages no event tells. */
export function watchLists(
  callControl: LivingCallControl,
  clock: CallControlClock,
  changed: (list: ThreeCxList) => void,
): () => void {
  const waiting = new Map<ThreeCxList, () => void>();
  const note = (list: ThreeCxList): void => {
    if (waiting.has(list)) return;
    const cancel = clock.setTimer(() => {
      waiting.delete(list);
      changed(list);
    }, CALM_MS);
    waiting.set(list, cancel);
  };
  const stops = [
    callControl.onEvent(({ kind }) => {
      if (kind === 'digits') return;
      note('active-calls');
      if (kind !== 'gone') return;
      note('call-history');
      note('messages');
    }),
    callControl.onSnapshot(() => THREECX_LISTS.forEach(note)),
  ];
  return () => {
    for (const stop of stops) stop();
    for (const cancel of waiting.values()) cancel();
    waiting.clear();
  };
}

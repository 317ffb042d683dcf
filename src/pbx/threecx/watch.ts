/** Which of the lists a change of a call makes out of date. */
import { createNotices } from '../notices.ts';
import type { CallControlClock } from './call-control.ts';
import type { LivingCallControl } from './client.ts';
import { THREECX_LISTS, type ThreeCxList } from './operations.ts';

/** Tells which list has changed, and of all of them whenever everything was looked at again: of extensions and messages no event tells. */
export function watchLists(
  callControl: LivingCallControl,
  clock: CallControlClock,
  changed: (list: ThreeCxList) => void,
): () => void {
  const { note, stop } = createNotices(clock, changed);
  const stops = [
    callControl.onEvent(({ kind }) => {
      if (kind === 'digits') return;
      note('active-calls');
      if (kind !== 'gone') return;
      note('call-history');
      note('messages');
    }),
    callControl.onSnapshot(() => THREECX_LISTS.forEach(note)),
    stop,
  ];
  return () => {
    for (const end of stops) end();
  };
}

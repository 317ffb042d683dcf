import { z } from 'zod';
import { short } from '../../audit.ts';
import { defineTool, type Tool } from '../../tool.ts';
import { SETS, told } from '../answer.ts';
import { CHANGING, conferenceSchema } from './answer.ts';

function lockTool(
  locked: boolean,
  words: { readonly title: string; readonly description: string; readonly done: string },
): Tool {
  return defineTool({
    ...CHANGING,
    name: locked ? 'asterisk_lock_conference' : 'asterisk_unlock_conference',
    title: words.title,
    description: words.description,
    annotations: SETS,
    input: z.strictObject({ conference: conferenceSchema }),
    output: z.object({ conference: z.string(), locked: z.boolean(), message: z.string(), next: z.string() }),
    audited: ({ conference }) => ({ conference: short(conference) }),
    async handler({ conference }, { asterisk }) {
      await asterisk().lock(conference, locked);
      const message = `Conference ${conference} ${words.done}`;
      return told({ conference, locked, message }, message, 'asterisk_list_conferences shows which ones are locked.');
    },
  });
}

export const lockConference = lockTool(true, {
  title: 'Lock a conference',
  description: 'Locks a conference: whoever is in it stays, nobody else comes in until it is unlocked or has ended.',
  done: 'is locked: nobody else comes in.',
});

export const unlockConference = lockTool(false, {
  title: 'Unlock a conference',
  description: 'Unlocks a conference, so that others can come in again. One that is not locked stays as it is.',
  done: 'is open again.',
});

/** Kick, mute and unmute: the same but for what is done. */
import { z } from 'zod';
import type { ParticipantAction } from '../../../pbx/asterisk/operations.ts';
import { short } from '../../audit.ts';
import { defineTool, type Tool, type ToolAnnotations } from '../../tool.ts';
import { ENDS, SETS, told, whom } from '../answer.ts';
import { CHANGING, conferenceSchema, participantSchema } from './answer.ts';

function actionTool(
  action: ParticipantAction,
  words: {
    readonly title: string;
    readonly does: string;
    readonly done: string;
    readonly annotations: ToolAnnotations;
  },
): Tool {
  return defineTool({
    ...CHANGING,
    name: `asterisk_${action}_participant`,
    title: words.title,
    annotations: words.annotations,
    description: `${words.does} The participant is looked for in a fresh list of the conference, and nobody else is touched.`,
    input: z.strictObject({ conference: conferenceSchema, participant: participantSchema }),
    output: z.object({
      conference: z.string(),
      channel: z.string(),
      callerNumber: z.string().nullable(),
      message: z.string(),
      next: z.string(),
    }),
    audited: ({ conference, participant }) => ({ conference: short(conference), participant: whom(participant) }),
    async handler({ conference, participant }, { asterisk }) {
      const { channel, callerNumber } = await asterisk().actOn(action, conference, participant);
      const message = `${channel} ${words.done} conference ${conference}.`;
      const next = 'Use asterisk_list_participants to see who is in it now.';
      return told({ conference, channel, callerNumber, message }, message, next);
    },
  });
}

export const kickParticipant = actionTool('kick', {
  title: 'Remove a participant',
  does: 'Removes one participant from a conference, which hangs up their call unless the dial plan goes on.',
  done: 'was removed from',
  annotations: ENDS,
});

export const muteParticipant = actionTool('mute', {
  title: 'Mute a participant',
  does: 'Mutes one participant of a conference: the others do not hear them any more.',
  done: 'was muted in',
  annotations: SETS,
});

export const unmuteParticipant = actionTool('unmute', {
  title: 'Unmute a participant',
  does: 'Lets a muted participant of a conference be heard again.',
  done: 'can be heard again in',
  annotations: SETS,
});

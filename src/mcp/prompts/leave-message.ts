import { z } from 'zod';
import { clean } from '../quotation.ts';
import { completeLanguage } from './languages.ts';
import { callPrompt, definePrompt } from './prompt.ts';

export const leaveMessage = definePrompt({
  name: 'leave-message',
  title: 'Leave a message',
  description: 'Calls someone, passes on a message and brings back the answer.',
  args: {
    toNumber: z.string().min(2).max(32).describe('The telephone number, E.164 such as +14155550123'),
    message: z.string().min(1).max(2000).describe('What to tell them, in any language'),
    recipient: z.string().max(120).optional().describe('Who should get it'),
    language: z.string().max(35).optional().describe('Language to speak on the telephone, such as en or fr'),
  },
  complete: { language: completeLanguage },
  render({ toNumber, message, recipient, language }) {
    const whom = recipient === undefined || recipient === '' ? 'whoever answers' : clean(recipient);
    return callPrompt(`Please call ${clean(toNumber)} and leave this message for ${whom}: ${clean(message)}`, {
      toNumber,
      language,
      brief: [
        `Ask for ${whom}; if they cannot come to the telephone, ask that the message be passed on.`,
        `The message, with nothing added: ${clean(message)}`,
        'For whom the message is left. Ask whether there is an answer, and that it was understood.',
      ],
    });
  },
});

import { z } from 'zod';
import { masked } from '../../audit.ts';
import { confirm } from '../../confirm.ts';
import { clean } from '../../quotation.ts';
import { defineTool } from '../../tool.ts';
import { REACHES_PEOPLE, told } from '../answer.ts';
import { CHANGING } from './answer.ts';

export const sendMessage = defineTool({
  ...CHANGING,
  name: 'threecx_send_message',
  title: 'Send a text message',
  description:
    'Sends an SMS to a number outside, from the number of the SMS carrier that is set up: 3CX itself has no way to send one, and does not get to know of it. It costs money and cannot be taken back: ask the user first. What 3CX received is in the resource threecx://messages.',
  annotations: REACHES_PEOPLE,
  input: z.strictObject({
    to: z.string().min(3).max(40).describe('Number with + and its country code.'),
    text: z.string().min(1).max(160),
  }),
  output: z.object({
    from: z.string(),
    to: z.string(),
    carrier: z.string(),
    id: z.string().nullable(),
    message: z.string(),
    next: z.string(),
  }),
  audited: ({ to, text }) => ({ to: masked(to), characters: typeof text === 'string' ? text.length : 0 }),
  async handler({ to, text }, { threecx, ...context }) {
    await confirm(`Send this text message to ${clean(to)} now? ${clean(text)}`, context, {
      what: 'this message',
      undone: 'nothing was sent',
    });
    const sent = await threecx().sendMessage({ to, text });
    const message = `Sent from ${sent.from} to ${sent.to} by ${sent.carrier}, not by 3CX, which has no way to send messages.`;
    return told({ ...sent, message }, message, 'Tell the user. An answer goes to the carrier, not to 3CX.');
  },
});

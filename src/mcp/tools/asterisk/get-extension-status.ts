import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { extensionSchema, READING } from './answer.ts';
import { extensionFacts } from './list-extensions.ts';

export const getExtensionStatus = defineTool({
  ...READING,
  name: 'asterisk_get_extension_status',
  title: 'Get an extension’s status',
  description:
    'Tells whether one extension is idle, in use, ringing, on hold or unavailable, who it is, and whether a phone is registered for it.',
  input: z.strictObject({ extension: extensionSchema }),
  output: extensionFacts.extend({
    callerId: z.string().nullable(),
    registered: z.boolean().nullable(),
    next: z.string(),
  }),
  async handler({ extension }, { asterisk }) {
    const found = await asterisk().extension(extension);
    const facts = { ...found, states: [...found.states], devices: [...found.devices] };
    const phone = found.registered === null ? '' : found.registered ? ', with a phone' : ', without a phone';
    return told(
      facts,
      `Extension ${found.extension} is ${found.status}${phone}.`,
      'asterisk_get_registration tells where its phone is.',
    );
  },
});

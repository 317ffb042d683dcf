import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { extensionSchema, READING } from './answer.ts';

export const getRegistration = defineTool({
  ...READING,
  name: 'asterisk_get_registration',
  title: 'Get a registration',
  description:
    'Tells where the phone of an extension is: its contacts with address, program, round-trip time and expiry, and the settings of its AOR and endpoint. Never a password.',
  input: z.strictObject({ extension: extensionSchema }),
  output: z.object({
    extension: z.string(),
    endpoint: z.string(),
    aors: z.array(z.string()),
    registered: z.boolean(),
    contacts: z.array(
      z.object({
        uri: z.string().nullable(),
        userAgent: z.string().nullable(),
        address: z.string().nullable(),
        status: z.string().nullable(),
        roundTripMs: z.number().nullable().describe('null: the server does not ask the phone (qualify_frequency).'),
        expiresAt: z.string().nullable(),
      }),
    ),
    maxContacts: z.number().nullable(),
    defaultExpirySeconds: z.number().nullable(),
    qualifySeconds: z.number().nullable(),
    context: z.string().nullable(),
    codecs: z.string().nullable(),
    transport: z.string().nullable(),
    mediaEncryption: z.string().nullable(),
    next: z.string(),
  }),
  async handler({ extension }, { asterisk }) {
    const found = await asterisk().registration(extension);
    const facts = { ...found, aors: [...found.aors], contacts: [...found.contacts] };
    const count = found.contacts.length;
    const sentence =
      count === 0 ? `No phone is registered for ${extension}.` : `${count} phone(s) registered for ${extension}.`;
    return told(facts, sentence, 'asterisk_get_extension_status tells whether it is in a call.');
  },
});

import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const EXTENSION_STATUSES = ['idle', 'in-use', 'busy', 'unavailable', 'ringing', 'on-hold', 'unknown'] as const;

export const extensionFacts = z.object({
  extension: z.string(),
  context: z.string(),
  status: z.enum(EXTENSION_STATUSES),
  states: z.array(z.string()),
  devices: z.array(z.object({ device: z.string(), state: z.string().nullable() })),
});

export const listExtensions = defineTool({
  ...READING,
  name: 'asterisk_list_extensions',
  title: 'List extensions',
  description:
    'Lists the extensions of the office telephone system that have a hint in the dial plan, with whether each is idle, in use, ringing or unavailable, and the state of its phones.',
  input: z.strictObject({
    status: z.enum(EXTENSION_STATUSES).optional().describe('Only those.'),
    limit: limitSchema,
  }),
  output: z.object({ extensions: z.array(extensionFacts), total: z.number(), next: z.string() }),
  async handler({ status, limit }, { asterisk }) {
    const all = await asterisk().extensions();
    const { shown, total, rest } = firstOf(status ? all.filter((one) => one.status === status) : all, limit);
    const extensions = shown.map((one) => ({ ...one, states: [...one.states], devices: [...one.devices] }));
    return told(
      { extensions, total },
      `${total} extensions.${rest}`,
      'Use asterisk_get_registration to see where a phone is.',
    );
  },
});

import { z } from 'zod';
import { pageCursorSchema } from '../../facts.ts';
import { pageOf } from '../../pages.ts';
import { defineTool } from '../../tool.ts';
import { limitSchema, told } from '../answer.ts';
import { filterSchema, READING, STRANGERS_WORDS } from './answer.ts';

export const getCallerIdFilters = defineTool({
  ...READING,
  name: 'voipms_get_callerid_filters',
  title: 'List caller ID filters',
  description:
    'Lists the caller ID filters of VoIP.ms: which callers to which number are routed where. sys:hangup hangs up on them. A pattern may take more numbers than it shows.',
  input: z.strictObject({
    did: z.string().min(3).max(30).optional().describe('Only filters of this number of the account, or all.'),
    limit: limitSchema,
    cursor: pageCursorSchema,
  }),
  output: z.object({
    filters: z.array(filterSchema),
    total: z.number(),
    cursor: z.string().nullable(),
    caution: z.string(),
    next: z.string(),
  }),
  async handler({ did, limit, cursor }, { voipms }) {
    const filters = await voipms().callerIdFilters(did);
    const page = pageOf(filters, limit, cursor);
    return told(
      { filters: page.shown, total: filters.length, cursor: page.cursor, caution: STRANGERS_WORDS },
      `${filters.length} filters.`,
      page.next,
    );
  },
});

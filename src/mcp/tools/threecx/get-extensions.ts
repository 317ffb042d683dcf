import { z } from 'zod';
import { pageCursorSchema } from '../../facts.ts';
import { offsetOf, pageAt } from '../../pages.ts';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { READING } from './answer.ts';

export const recordingModeSchema = z.enum(['off', 'all', 'external']).nullable();

export const getExtensions = defineTool({
  ...READING,
  name: 'threecx_get_extensions',
  title: 'List extensions',
  description:
    'Lists the extensions of 3CX: name, e-mail address, mobile number, whether a telephone is registered, status (profile), whether logged in to queues, and which of its calls are recorded.',
  input: z.strictObject({
    search: z.string().min(1).max(60).optional().describe('Part of a number or name.'),
    limit: z.number().int().min(1).max(100).default(50),
    cursor: pageCursorSchema,
  }),
  output: z.object({
    extensions: z.array(
      z.object({
        extension: z.string(),
        name: z.string().nullable(),
        email: z.string().nullable(),
        mobile: z.string().nullable(),
        enabled: z.boolean().nullable(),
        registered: z.boolean().nullable(),
        profile: z.string().nullable(),
        queueStatus: z.string().nullable(),
        recording: recordingModeSchema,
      }),
    ),
    total: z.number().nullable(),
    cursor: z.string().nullable(),
    next: z.string(),
  }),
  async handler({ search, limit, cursor }, { threecx }) {
    const offset = offsetOf(cursor);
    const { items, total, isMore } = await threecx().extensions({ search, limit, offset });
    const { shown, cursor: at, next } = pageAt(items, offset, isMore);
    return told(
      { extensions: shown, total, cursor: at },
      shown.length === 0
        ? 'No extension matches.'
        : `${shown.length} extensions${total === null ? '' : ` of ${total}`}.`,
      next,
    );
  },
});

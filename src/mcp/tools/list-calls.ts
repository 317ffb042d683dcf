import { z } from 'zod';
import { bytesIn, fitting } from '../budget.ts';
import { callFacts, callSchema, callSentence, pageCursorSchema, stateSchema } from '../facts.ts';
import { defineTool } from '../tool.ts';

export const listCalls = defineTool({
  name: 'list-calls',
  toolset: 'voice',
  scope: 'calls:read',
  title: 'List calls',
  description:
    'Calls that were placed, newest first, without their transcripts. Use it to find a callId, or to see whether a call was placed at all.',
  input: z.strictObject({
    state: stateSchema.optional().describe('Only calls in this state.'),
    limit: z.number().int().min(1).max(100).default(20),
    cursor: pageCursorSchema,
  }),
  output: z.object({
    calls: z.array(callSchema),
    cursor: z.string().nullable().describe('null on the last page.'),
    simulated: z.boolean(),
    next: z.string(),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },

  async handler({ state, limit, cursor }, { switchboard }) {
    const full = await switchboard.calls({ state, limit, cursor });
    const count = fitting(full.calls, (call) => bytesIn(callFacts(call)) + callSentence(call).length);
    const page = count === full.calls.length ? full : await switchboard.calls({ state, limit: count, cursor });
    const more = page.cursor === null ? '' : ` For older calls use list-calls with cursor "${page.cursor}".`;
    const next = `Use get-call with a callId for a transcript.${more}`;
    return {
      structured: {
        calls: page.calls.map(callFacts),
        cursor: page.cursor,
        simulated: switchboard.simulated,
        next,
      },
      text: [...(page.calls.length === 0 ? ['No calls.'] : page.calls.map(callSentence)), next].join('\n'),
    };
  },
});

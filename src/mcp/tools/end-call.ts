import { z } from 'zod';
import { short } from '../audit.ts';
import { callIdSchema, stateSchema } from '../facts.ts';
import { defineTool } from '../tool.ts';

export const endCall = defineTool({
  name: 'end-call',
  toolset: 'voice',
  scope: 'calls:place',
  title: 'End a call',
  description:
    'Ends a live call. "polite" lets the agent say goodbye first, "now" hangs up at once. Ending a call that has ended does nothing.',
  input: z.strictObject({
    callId: callIdSchema,
    mode: z.enum(['polite', 'now']).default('polite'),
  }),
  output: z.object({
    callId: z.string(),
    state: stateSchema,
    message: z.string(),
    simulated: z.boolean(),
    next: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },

  audited: ({ callId, mode }) => ({ callId: short(callId), mode: short(mode ?? 'polite') }),

  async handler({ callId, mode }, { switchboard }) {
    const { state, message } = await switchboard.end(callId, mode);
    const next =
      state === 'ended'
        ? 'Use get-call for the transcript.'
        : 'Use wait-for-call until done is true to see how it ends.';
    return {
      structured: { callId, state, message, simulated: switchboard.simulated, next },
      text: `${message} (${state})\n${next}`,
    };
  },
});

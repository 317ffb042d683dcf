import { z } from 'zod';
import { VIAS } from '../../call/words.ts';
import { masked, short } from '../audit.ts';
import { confirm } from '../confirm.ts';
import { clean } from '../quotation.ts';
import { defineTool } from '../tool.ts';
import { whom } from './answer.ts';

const output = z.object({
  status: z.enum(['success', 'error']),
  message: z.string(),
  callId: z.string().nullable(),
  callSid: z.string().nullable().describe("The carrier's own id; null until known, or where it has none."),
  simulated: z.boolean(),
  next: z.string().describe('What to do next.'),
});

const LONGEST_QUOTED = 300;
const MOST_TRANSFERS = 10;

/** What the user is asked, as far as they need it in order to decide. */
function questionOf(toNumber: string, callContext: string, transferTo: readonly string[]): string {
  const brief = clean(callContext);
  const quoted = brief.length > LONGEST_QUOTED ? `${brief.slice(0, LONGEST_QUOTED)}…` : brief;
  const onwards =
    transferTo.length === 0 ? '' : ` The agent may hand the call over to ${transferTo.map(clean).join(', ')}.`;
  return `Call ${clean(toNumber)} now?${onwards} The agent's brief: ${quoted}`;
}

export const triggerCall = defineTool({
  name: 'trigger-call',
  toolset: 'voice',
  scope: 'calls:place',
  title: 'Place a telephone call',
  description:
    'Calls a telephone number; an AI voice agent holds the conversation that callContext describes. It rings a real person and costs ' +
    'money, so ask the user first. Returns at once with a callId: then use wait-for-call until done. Calls and transcripts are kept; ' +
    'get-call finds them later. After an error or a timeout do not simply repeat it: repeat it with the same idempotencyKey, or look with list-calls.',
  input: z.strictObject({
    toNumber: z.string().min(2).max(40).describe('E.164, such as +14155550123; via asterisk or 3cx also an extension.'),
    callContext: z
      .string()
      .min(1)
      .max(4000)
      .describe(
        'The brief of the agent, which knows nothing else: for whom it calls, what to achieve, every fact it may need (names, dates, ' +
          'numbers), what it may agree to, what to do when that fails.',
      ),
    language: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$/)
      .optional()
      .describe('BCP 47 tag of the language to speak, such as en or pt-BR.'),
    voice: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,40}$/)
      .optional()
      .describe("The agent's voice; normally left out."),
    maxDurationSeconds: z.number().int().min(10).max(14_400).optional().describe('Ends the call politely by then.'),
    via: z
      .enum(VIAS)
      .optional()
      .describe('asterisk or 3cx: over that telephone system of the office. Normally left out.'),
    transferTo: z
      .array(z.string().min(1).max(40))
      .max(MOST_TRANSFERS)
      .optional()
      .describe('Extensions to which the agent may hand the call over (via asterisk or 3cx).'),
    record: z.boolean().optional().describe('Record it; the agent says so. The law may require consent.'),
    idempotencyKey: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('Any text unique to this call. The same key with the same arguments never dials twice.'),
  }),
  output,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },

  audited: ({
    toNumber,
    callContext,
    language,
    voice,
    maxDurationSeconds,
    via,
    transferTo,
    record,
    idempotencyKey,
  }) => ({
    to: masked(toNumber),
    via: short(via),
    ...(Array.isArray(transferTo) ? { transferTo: transferTo.slice(0, MOST_TRANSFERS).map(whom).join(' ') } : {}),
    briefLetters: typeof callContext === 'string' ? callContext.length : 0,
    language: short(language),
    voice: short(voice),
    maxDurationSeconds: typeof maxDurationSeconds === 'number' ? maxDurationSeconds : 0,
    record: record === true,
    hasKey: idempotencyKey !== undefined,
  }),

  async handler(
    { toNumber, callContext, language, voice, maxDurationSeconds, via, transferTo, record, idempotencyKey },
    { switchboard, ...context },
  ) {
    await confirm(questionOf(toNumber, callContext, transferTo ?? []), context);
    const placed = await switchboard.place({
      to: toNumber,
      context: callContext,
      language,
      voice,
      maxDurationMs: maxDurationSeconds === undefined ? undefined : maxDurationSeconds * 1000,
      record,
      idempotencyKey,
      via,
      transferTo,
    });
    const message = placed.repeated
      ? `This idempotencyKey has placed call ${placed.callId} before (it is ${placed.state}); nothing was dialled now.`
      : `Call ${placed.callId} to ${toNumber} is under way (${placed.state}).`;
    const next = `Use wait-for-call with callId "${placed.callId}" and cursor 0, then with the cursor it returns, until done is true.`;
    return {
      structured: {
        status: 'success' as const,
        message,
        callId: placed.callId,
        // A name of Twilio's; a telephone system of the office has ids of its own in its records.
        callSid: placed.carrier === 'twilio' ? placed.carrierCallId : null,
        simulated: switchboard.simulated,
        next,
      },
      text: `${message}\n${next}`,
    };
  },

  failure({ message, advice }, { switchboard }) {
    return {
      status: 'error' as const,
      message,
      callId: null,
      callSid: null,
      simulated: switchboard.simulated,
      next: advice,
    };
  },
});

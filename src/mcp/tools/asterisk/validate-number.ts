import { z } from 'zod';
import type { NumberJudgement } from '../../../pbx/asterisk/operations.ts';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { READING } from './answer.ts';

export const validateNumber = defineTool({
  ...READING,
  name: 'asterisk_validate_number',
  title: 'Validate a number',
  description:
    'Tells what a number is to the office telephone system: extension, feature code, emergency, national or international number, its form in E.164, what is dialled for it, and which rules of the dial plan take it. Dials nothing.',
  input: z.strictObject({
    number: z.string().min(1).max(60),
    country: z.string().length(2).optional().describe('ISO 3166; the office’s own without it.'),
  }),
  output: z.object({
    number: z.string(),
    kind: z.enum(['extension', 'feature-code', 'emergency', 'conference', 'national', 'international', 'invalid']),
    valid: z.boolean(),
    normalised: z.string().nullable(),
    dialled: z.string().nullable(),
    matches: z.array(z.string()),
    warnings: z.array(z.string()),
    next: z.string(),
  }),
  async handler({ number, country }, { asterisk }) {
    const judged = await asterisk().validate(number, country);
    const facts = { ...judged, matches: judged.matches.slice(0, 20), warnings: [...judged.warnings] };
    const sentence = judged.valid
      ? `${judged.number} is of the kind ${judged.kind}.`
      : `${judged.number} is not valid here.`;
    return told(facts, sentence, nextFor(judged));
  },
});

function nextFor({ kind, valid, dialled }: NumberJudgement): string {
  if (kind === 'emergency')
    return 'It is an emergency number, which no tool here ever dials: whoever needs help dials it on a telephone.';
  if (!valid) return 'Ask the user for the right number; asterisk_list_extensions shows the extensions.';
  return dialled === null
    ? 'It is not dialled from here.'
    : `On a telephone of the office it is dialled as ${dialled}.`;
}

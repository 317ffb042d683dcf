import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const getDialRules = defineTool({
  ...READING,
  name: 'asterisk_get_dial_rules',
  title: 'Get dial rules',
  description:
    'Tells what can be dialled on the office telephones, from the running dial plan. json lists the patterns; groundwire, linphone and zoiper give the rules in the syntax that the softphone reads, and say what it cannot express and why.',
  input: z.strictObject({
    format: z.enum(['json', 'groundwire', 'linphone', 'zoiper']).default('json'),
    limit: limitSchema,
  }),
  output: z.object({
    format: z.string(),
    rules: z.array(
      z.object({ pattern: z.string(), kind: z.string(), context: z.string(), applications: z.array(z.string()) }),
    ),
    total: z.number().nullable(),
    artifact: z.string().nullable().describe('What the softphone imports.'),
    rules_applied: z.array(z.string()),
    rules_not_expressible: z.array(z.object({ rule: z.string(), why: z.string() })),
    untested_syntax: z.array(z.string()),
    warnings: z.array(z.string()),
    next: z.string(),
  }),
  async handler({ format, limit }, { asterisk }) {
    const next = 'Use asterisk_validate_number to see what becomes of one number.';
    if (format !== 'json') {
      const made = await asterisk().softphone(format);
      const facts = {
        format: made.format,
        rules: [],
        total: null,
        rules_applied: [...made.rulesApplied],
        rules_not_expressible: [...made.rulesNotExpressible],
        untested_syntax: [...made.untestedSyntax],
        warnings: [EMERGENCY],
      };
      const answer = told({ ...facts, artifact: '' }, `Rules for ${format}: ${made.format}.`, next);
      // Its lines are ours, and stay lines.
      return {
        structured: { ...answer.structured, artifact: made.artifact },
        text: `${answer.text}\n\n${made.artifact}`,
      };
    }
    const all = await asterisk().dialRules();
    const { shown, total, rest } = firstOf(all, limit);
    const rules = shown.map((rule) => ({ ...rule, applications: [...rule.applications] }));
    const warnings = all.some(({ kind }) => kind === 'emergency') ? [EMERGENCY] : [EMERGENCY, NO_EMERGENCY];
    const facts = {
      format,
      rules,
      total,
      artifact: null,
      rules_applied: [],
      rules_not_expressible: [],
      untested_syntax: [],
      warnings,
    };
    return told(facts, `${total} numbers and patterns.${rest}`, next);
  },
});

const EMERGENCY =
  'Emergency numbers are never rewritten by any of these rules; that they are reached is for the telephone system and its carrier to see to.';
const NO_EMERGENCY =
  'No rule names an emergency number by itself: check that such numbers go out by a more general one.';

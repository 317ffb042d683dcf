import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const listFeatureCodes = defineTool({
  ...READING,
  name: 'asterisk_list_feature_codes',
  title: 'List feature codes',
  description:
    'Lists the codes that the running dial plan has, such as *97 for voicemail, with what each does. Where the meaning is only a convention of FreePBX and its kin, that is said.',
  input: z.strictObject({ limit: limitSchema }),
  output: z.object({
    codes: z.array(
      z.object({
        code: z.string(),
        meaning: z.string(),
        source: z.enum(['applications', 'convention', 'unknown']),
        applications: z.array(z.string()),
      }),
    ),
    total: z.number(),
    next: z.string(),
  }),
  async handler({ limit }, { asterisk }) {
    const { shown, total, rest } = firstOf(await asterisk().featureCodes(), limit);
    const codes = shown.map((code) => ({ ...code, applications: [...code.applications] }));
    return told(
      { codes, total },
      `${total} feature codes.${rest}`,
      'asterisk_get_dial_rules tells what else can be dialled.',
    );
  },
});

import { z } from 'zod';
import { pageCursorSchema } from '../../facts.ts';
import { offsetOf, pageAt } from '../../pages.ts';
import { officeRecordingUri } from '../../resources/office-recordings.ts';
import { defineTool } from '../../tool.ts';
import { CALLERS_NAMES, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const listRecordings = defineTool({
  ...READING,
  name: 'asterisk_list_recordings',
  title: 'List recordings',
  description:
    "Recordings that the telephone system itself made, newest first: their files on the server's machine, and resources with the sound. get-recording has those of the agent's calls. offered is false where no folder is set.",
  input: z.strictObject({
    about: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe('Part of the file name, such as a number, an extension or 20261127.'),
    limit: limitSchema,
    cursor: pageCursorSchema,
  }),
  output: z.object({
    offered: z.boolean(),
    recordings: z.array(
      z.object({
        name: z.string(),
        endedAt: z.string(),
        sizeBytes: z.number(),
        path: z.string().describe("On the server's machine."),
        uri: z.string().describe('The resource with the sound.'),
      }),
    ),
    total: z.number(),
    cursor: z.string().nullable(),
    caution: z.string(),
    next: z.string(),
  }),
  async handler({ about, limit, cursor }, { asterisk }) {
    const offset = offsetOf(cursor);
    const found = await asterisk().recordings({ about, limit, offset });
    if (found === null)
      return told(
        { offered: false, recordings: [], total: 0, cursor: null, caution: CALLERS_NAMES },
        'Where the telephone system keeps its recordings is not set: ASTERISK_RECORDINGS_DIR.',
        'Ask the user to set it, if Switchboard runs on the machine of the telephone system.',
      );
    const all = found.recordings.map((one) => ({ ...one, uri: officeRecordingUri(one.name) }));
    const page = pageAt(all, offset, offset + all.length < found.total);
    const cut = found.isCut ? ' There are more in older folders, which were not looked at.' : '';
    return told(
      {
        offered: true,
        recordings: page.shown,
        total: found.total,
        cursor: page.cursor,
        caution: CALLERS_NAMES,
      },
      `${found.total} recordings.${cut}`,
      page.next,
    );
  },
});

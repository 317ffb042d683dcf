import { z } from 'zod';
import { short } from '../../audit.ts';
import { confirm } from '../../confirm.ts';
import { clean } from '../../quotation.ts';
import { defineTool } from '../../tool.ts';
import { REACHES_PEOPLE } from '../answer.ts';
import { accountSchema, CHANGING, dryRunSchema, recordingSchema, toldChange } from './answer.ts';

export const sendCallRecordingEmail = defineTool({
  ...CHANGING,
  name: 'voipms_send_call_recording_email',
  title: 'E-mail a call recording',
  description:
    'Has VoIP.ms send a call recording to an e-mail address: only to one that the settings allow (VOIPMS_EMAIL_RECIPIENTS). It cannot be taken back, so without dry_run=false nothing is sent.',
  annotations: REACHES_PEOPLE,
  input: z.strictObject({
    account: accountSchema,
    recording: recordingSchema,
    email: z.string().min(6).max(254),
    dry_run: dryRunSchema,
  }),
  audited: ({ account, recording, email, dry_run }) =>
    dry_run === false
      ? { account: short(account), recording: short(recording), email: short(email).replace(/^.*@/, '…@') }
      : null,
  async handler({ account, recording, email, dry_run: dryRun }, { voipms, ...context }) {
    if (!dryRun) {
      // What is not allowed is refused before anybody is asked about it.
      await voipms().emailRecording({ account, recording, email, dryRun: true });
      await confirm(`Send the recording of a call (${clean(account)}) to ${clean(email)} now?`, context, {
        what: 'this e-mail',
        undone: 'nothing was sent',
      });
    }
    return toldChange(await voipms().emailRecording({ account, recording, email, dryRun }));
  },
});

import { startTranscriptionSimulator } from '../simulator/openai/transcriptions.ts';
import { startVoipMsSimulator } from '../simulator/voipms/account.ts';
import type { Earlier, PbxStage, Try } from './demo-pbx.ts';

/** Rings all of the account's numbers day after day. */
const ROBOT = '4155550199';
const FRIEND = '4155550140';

export async function voipMsStage(): Promise<PbxStage> {
  const account = await startVoipMsSimulator();
  const transcriptions = await startTranscriptionSimulator();
  return {
    env: { ...account.env, OPENAI_API_URL: transcriptions.url, VOIPMS_EMAIL_RECIPIENTS: '@example.com' },
    opening: 'A simulated account at VoIP.ms with three weeks of calls. Every tool is tried once or more.',
    tries: TRIES,
    resources: [],
    closing: () => {
      const changes = account.requests
        .filter(({ method }) => /^(set|del|send)/.test(method))
        .map(({ method }) => method);
      const rude = account.violations.length === 0 ? '' : ` and wrongly: ${account.violations.join('; ')}`;
      return `VoIP.ms was asked ${account.requests.length} times${rude}; what changed something: ${changes.join(', ')}.`;
    },
    close: async () => {
      await account.stop();
      await transcriptions.stop();
    },
  };
}

const TRIES: readonly Try[] = [
  { tool: 'voipms_get_balance', wish: 'How much money is left?', args: () => ({}) },
  { tool: 'voipms_get_accounts', wish: 'Which telephones are there?', args: () => ({}) },
  { tool: 'voipms_get_call_accounts', wish: 'By which names do call records go?', args: () => ({}) },
  { tool: 'voipms_get_phonebook_groups', wish: 'Which groups has the phonebook?', args: () => ({}) },
  { tool: 'voipms_get_phonebook_entries', wish: 'Who is in Family?', args: () => ({ group: 'Family' }) },
  { tool: 'voipms_get_callerid_filters', wish: 'Who is filtered?', args: () => ({}) },
  { tool: 'voipms_get_recent_cdr', wish: 'Who called this week?', args: () => ({ limit: 3 }) },
  { tool: 'voipms_get_call_recordings', wish: 'What was recorded?', args: () => ({}), label: 'recordings' },
  { tool: 'voipms_get_call_recording', wish: 'Where is its sound?', args: (earlier) => recordingOf(earlier, 0) },
  { tool: 'voipms_get_call_transcript', wish: 'What was said?', args: (earlier) => recordingOf(earlier, 0) },
  { tool: 'voipms_get_call_transcript', wish: 'And in the one before?', args: (earlier) => recordingOf(earlier, 1) },
  {
    tool: 'voipms_send_call_recording_email',
    wish: 'Send it to me. (Shown first.)',
    args: (earlier) => ({ ...recordingOf(earlier, 0), email: 'owner@example.com' }),
  },
  {
    tool: 'voipms_send_call_recording_email',
    wish: 'Yes, send it.',
    args: (earlier) => ({ ...recordingOf(earlier, 0), email: 'owner@example.com', dry_run: false }),
  },
  {
    tool: 'voipms_add_number_to_phonebook_group',
    wish: 'Put a new friend into Family. (Shown first.)',
    args: () => ({ number: FRIEND, group: 'Family', name: 'Dora Example' }),
  },
  {
    tool: 'voipms_add_number_to_phonebook_group',
    wish: 'Yes.',
    args: () => ({ number: FRIEND, group: 'Family', name: 'Dora Example', dry_run: false }),
  },
  {
    tool: 'voipms_add_number_to_phonebook_group',
    wish: 'Once more, by mistake.',
    args: () => ({ number: FRIEND, group: 'Family', name: 'Dora Example', dry_run: false }),
  },
  {
    tool: 'voipms_remove_number_from_phonebook_group',
    wish: 'Out again.',
    args: () => ({ number: FRIEND, group: 'Family', dry_run: false }),
  },
  { tool: 'voipms_suggest_spam_numbers', wish: 'Which callers are spam?', args: () => ({}) },
  { tool: 'voipms_inspect_number', wish: 'What do we know of the worst?', args: () => ({ number: ROBOT }) },
  {
    tool: 'voipms_mark_number_as_spam',
    wish: 'Mark it, and hang up on it from now on.',
    args: () => ({ number: ROBOT, block: true, dry_run: false }),
  },
  {
    tool: 'voipms_unmark_number_as_spam',
    wish: 'It was the dentist after all.',
    args: () => ({ number: ROBOT, unblock: true, dry_run: false }),
  },
];

function recordingOf(earlier: Earlier, index: number): Readonly<Record<string, unknown>> {
  const listed = earlier.recordings?.recordings;
  const one: unknown = Array.isArray(listed) ? listed[index] : undefined;
  if (typeof one !== 'object' || one === null || !('account' in one) || !('recording' in one)) return {};
  return { account: one.account, recording: one.recording };
}

import type { Tool } from '../../tool.ts';
import { addNumberToPhonebookGroup, removeNumberFromPhonebookGroup } from './change-group.ts';
import { getAccounts } from './get-accounts.ts';
import { getBalance } from './get-balance.ts';
import { getCallAccounts } from './get-call-accounts.ts';
import { getCallRecording } from './get-call-recording.ts';
import { getCallRecordings } from './get-call-recordings.ts';
import { getCallTranscript } from './get-call-transcript.ts';
import { getCallerIdFilters } from './get-callerid-filters.ts';
import { getPhonebookEntries } from './get-phonebook-entries.ts';
import { getPhonebookGroups } from './get-phonebook-groups.ts';
import { getRecentCdr } from './get-recent-cdr.ts';
import { inspectNumber } from './inspect-number.ts';
import { markNumberAsSpam, unmarkNumberAsSpam } from './mark-spam.ts';
import { sendCallRecordingEmail } from './send-call-recording-email.ts';
import { suggestSpamNumbers } from './suggest-spam-numbers.ts';

/** VoIP.ms, by subject: money and phonebook, accounts, recordings, call records, groups, spam. */
export const VOIPMS_TOOLS: readonly Tool[] = [
  getBalance,
  getPhonebookGroups,
  getPhonebookEntries,
  getCallerIdFilters,
  getAccounts,
  getCallAccounts,
  getCallRecordings,
  getCallRecording,
  sendCallRecordingEmail,
  getCallTranscript,
  getRecentCdr,
  addNumberToPhonebookGroup,
  removeNumberFromPhonebookGroup,
  inspectNumber,
  suggestSpamNumbers,
  markNumberAsSpam,
  unmarkNumberAsSpam,
];

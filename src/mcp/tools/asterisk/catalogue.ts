import type { Tool } from '../../tool.ts';
import { kickParticipant, muteParticipant, unmuteParticipant } from './act-on-participant.ts';
import { getCallStatistics } from './get-call-statistics.ts';
import { getDialRules } from './get-dial-rules.ts';
import { getExtensionStatus } from './get-extension-status.ts';
import { getExtensionSummary } from './get-extension-summary.ts';
import { getRegistration } from './get-registration.ts';
import { getSystemStatus } from './get-system-status.ts';
import { hangupChannel } from './hangup-channel.ts';
import { listChannels } from './list-channels.ts';
import { listConferences } from './list-conferences.ts';
import { listExtensions } from './list-extensions.ts';
import { listFeatureCodes } from './list-feature-codes.ts';
import { listMailboxes } from './list-mailboxes.ts';
import { listParkedCalls } from './list-parked-calls.ts';
import { listParticipants } from './list-participants.ts';
import { listQueues } from './list-queues.ts';
import { listRecordings } from './list-recordings.ts';
import { lockConference, unlockConference } from './lock-conference.ts';
import { originateCall } from './originate-call.ts';
import { queryCdr } from './query-cdr.ts';
import { validateNumber } from './validate-number.ts';

/** The office telephone system, by subject: conferences, extensions, dial plan, call records, the system and its calls, what else it offers. */
export const ASTERISK_TOOLS: readonly Tool[] = [
  listConferences,
  listParticipants,
  kickParticipant,
  muteParticipant,
  unmuteParticipant,
  lockConference,
  unlockConference,
  listExtensions,
  getExtensionStatus,
  getRegistration,
  getDialRules,
  listFeatureCodes,
  validateNumber,
  queryCdr,
  getCallStatistics,
  getExtensionSummary,
  getSystemStatus,
  listChannels,
  originateCall,
  hangupChannel,
  listQueues,
  listMailboxes,
  listParkedCalls,
  listRecordings,
];

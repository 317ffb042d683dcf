import { leaveMessage } from './prompts/leave-message.ts';
import { makeRestaurantReservation } from './prompts/make-restaurant-reservation.ts';
import type { Prompt } from './prompts/prompt.ts';
import { rescheduleAppointment } from './prompts/reschedule-appointment.ts';
import { ASTERISK_RESOURCES } from './resources/asterisk.ts';
import { OFFICE_RECORDING_RESOURCE } from './resources/office-recordings.ts';
import { RECORDING_RESOURCE } from './resources/recordings.ts';
import type { Resource } from './resources/resource.ts';
import { THREECX_RESOURCES } from './resources/threecx.ts';
import { TRANSCRIPTION_RESOURCES } from './resources/transcriptions.ts';
import { VOIPMS_RESOURCES } from './resources/voipms.ts';
import type { Tool } from './tool.ts';
import { ASTERISK_TOOLS } from './tools/asterisk/catalogue.ts';
import { endCall } from './tools/end-call.ts';
import { getCall } from './tools/get-call.ts';
import { getRecording } from './tools/get-recording.ts';
import { listCalls } from './tools/list-calls.ts';
import { searchTranscripts } from './tools/search-transcripts.ts';
import { THREECX_TOOLS } from './tools/threecx/catalogue.ts';
import { triggerCall } from './tools/trigger-call.ts';
import { VOIPMS_TOOLS } from './tools/voipms/catalogue.ts';
import { waitForCall } from './tools/wait-for-call.ts';

/** Everything that is offered, in the order in which clients list it. */
export const TOOLS: readonly Tool[] = [
  triggerCall,
  waitForCall,
  getCall,
  listCalls,
  endCall,
  searchTranscripts,
  getRecording,
  ...ASTERISK_TOOLS,
  ...THREECX_TOOLS,
  ...VOIPMS_TOOLS,
];

export const PROMPTS: readonly Prompt[] = [makeRestaurantReservation, leaveMessage, rescheduleAppointment];

export const RESOURCES: readonly Resource[] = [
  ...TRANSCRIPTION_RESOURCES,
  RECORDING_RESOURCE,
  ...ASTERISK_RESOURCES,
  OFFICE_RECORDING_RESOURCE,
  ...THREECX_RESOURCES,
  ...VOIPMS_RESOURCES,
];

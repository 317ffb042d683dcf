import type { Tool } from '../../tool.ts';
import { answerCall } from './answer-call.ts';
import { dropCall } from './drop-call.ts';
import { getCallLogs } from './get-call-logs.ts';
import { getExtensions } from './get-extensions.ts';
import { getPresence } from './get-presence.ts';
import { holdCall } from './hold-call.ts';
import { makeCall } from './make-call.ts';
import { recordCall } from './record-call.ts';
import { sendMessage } from './send-message.ts';
import { transferCall } from './transfer-call.ts';

/** 3CX, by subject: calls, messages, what there is to see, recordings. */
export const THREECX_TOOLS: readonly Tool[] = [
  makeCall,
  answerCall,
  transferCall,
  holdCall,
  dropCall,
  sendMessage,
  getCallLogs,
  getExtensions,
  getPresence,
  recordCall,
];

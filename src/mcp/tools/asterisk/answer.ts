import { z } from 'zod';
import { READS } from '../answer.ts';

/** What every tool of a telephone system has in common. */
export const READING = { toolset: 'asterisk', scope: 'pbx:read', annotations: READS } as const;
export const CHANGING = { toolset: 'asterisk', scope: 'pbx:write' } as const;
export const extensionSchema = z.string().min(1).max(40).describe('Such as 1001.');
export const conferenceSchema = z.string().min(1).max(80).describe('From asterisk_list_conferences.');
export const participantSchema = z
  .string()
  .min(1)
  .max(120)
  .describe('Channel, or caller number that is in it once, from asterisk_list_participants.');

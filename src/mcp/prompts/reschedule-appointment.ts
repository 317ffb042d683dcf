import { z } from 'zod';
import { clean } from '../quotation.ts';
import { completeLanguage } from './languages.ts';
import { callPrompt, definePrompt } from './prompt.ts';

export const rescheduleAppointment = definePrompt({
  name: 'reschedule-appointment',
  title: 'Reschedule an appointment',
  description: 'Calls and moves an appointment to another time.',
  args: {
    toNumber: z.string().min(2).max(32).describe('The telephone number, E.164 such as +14155550123'),
    appointment: z.string().min(1).max(400).describe('Which appointment: what it is, when, and under which name'),
    newTimes: z.string().min(1).max(400).describe('When it could be instead, best first'),
    language: z.string().max(35).optional().describe('Language to speak on the telephone, such as en or fr'),
  },
  complete: { language: completeLanguage },
  render({ toNumber, appointment, newTimes, language }) {
    return callPrompt(
      `Please call ${clean(toNumber)} and move this appointment: ${clean(appointment)}. New time: ${clean(newTimes)}.`,
      {
        toNumber,
        language,
        brief: [
          `Move this appointment: ${clean(appointment)}.`,
          `Times that are fine, best first: ${clean(newTimes)}. Agree to no other.`,
          'If none of them is free, keep the old appointment and bring back which times they offer.',
        ],
      },
    );
  },
});

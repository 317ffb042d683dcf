import { z } from 'zod';
import { clean } from '../quotation.ts';
import { completeLanguage } from './languages.ts';
import { callPrompt, definePrompt } from './prompt.ts';

export const makeRestaurantReservation = definePrompt({
  name: 'make-restaurant-reservation',
  title: 'Make a restaurant reservation',
  description: 'Calls a restaurant and reserves a table.',
  args: {
    restaurantNumber: z
      .string()
      .min(2)
      .max(32)
      .describe("The restaurant's telephone number, E.164 such as +14155550123"),
    peopleNumber: z.string().min(1).max(40).describe('How many people'),
    date: z.string().min(1).max(80).describe('Which day, in any form'),
    time: z.string().min(1).max(80).describe('At what time'),
    language: z.string().max(35).optional().describe('Language to speak on the telephone, such as en or fr'),
  },
  complete: { language: completeLanguage },
  render({ restaurantNumber, peopleNumber, date, time, language }) {
    const table = `a table for ${clean(peopleNumber)} on ${clean(date)} at ${clean(time)}`;
    return callPrompt(`Please call the restaurant at ${clean(restaurantNumber)} and reserve ${table}.`, {
      toNumber: restaurantNumber,
      language,
      brief: [
        `Reserve ${table}.`,
        'The name for the reservation, and a telephone number in case they ask.',
        'If that time is taken, which other times or days are fine; agree to nothing else.',
      ],
    });
  },
});

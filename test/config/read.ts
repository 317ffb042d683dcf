/** Reads settings as on a machine of somebody, whatever is set on this one. */
import { type ConfigSources, readConfig } from '../../src/config/config.ts';

export const machine = { platform: 'linux', home: '/home/somebody' } as const;

export const read = (env: ConfigSources['env'], more: Partial<ConfigSources> = {}) =>
  readConfig({ env, machine, ...more });

/** What calls over Twilio need. */
export const COMPLETE = {
  PUBLIC_URL: 'https://calls.example.com',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'twilio-token',
  TWILIO_NUMBER: '+14155550100',
  OPENAI_API_KEY: 'openai-key',
};

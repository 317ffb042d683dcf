/** Text messages, which 3CX itself cannot send. */
import { describe, expect, it } from 'vitest';
import type { SmsSent } from '../../../src/pbx/threecx/operations.ts';
import { office } from './office.ts';

describe('a text message', () => {
  it('is sent by the carrier that is set up, to a number that may be written to', async () => {
    const sent: unknown[] = [];
    const sendSms = async (request: { readonly to: string; readonly text: string }): Promise<SmsSent> => {
      sent.push(request);
      return { from: '+14155550100', to: request.to, carrier: 'VoIP.ms', id: '1' };
    };
    const { threecx } = await office({ settings: { sendSms } });
    expect(await threecx.sendMessage({ to: '+1 415 555 0123', text: 'On our way.' })).toMatchObject({
      carrier: 'VoIP.ms',
    });
    await expect(threecx.sendMessage({ to: '+442079460018', text: 'x' })).rejects.toMatchObject({
      name: 'UserInputError',
    });
    await expect(threecx.sendMessage({ to: '+14155550123', text: ' ' })).rejects.toMatchObject({
      name: 'UserInputError',
    });
    expect(sent).toEqual([{ to: '+14155550123', text: 'On our way.' }]);
  });

  it('is not sent by 3CX, which has no way to, and what would make it possible is said', async () => {
    const { threecx } = await office();
    await expect(threecx.sendMessage({ to: '+14155550123', text: 'x' })).rejects.toMatchObject({
      name: 'ConfigError',
      settings: ['VOIPMS_API_USERNAME', 'VOIPMS_API_PASSWORD', 'VOIPMS_SMS_NUMBER'],
    });
  });
});

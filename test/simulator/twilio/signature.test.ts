import { createHmac } from 'node:crypto';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { sign } from '../../../src/simulator/twilio/signature.ts';

describe('sign', () => {
  it('sorts the fields by name and signs the address as it was requested, query included', () => {
    const fields = { To: '+14155550111', CallSid: 'CA1', Digits: '1234', From: '+14155550100' };
    const url = 'https://example.com/call/status/abc?foo=1&bar=2';
    const data = `${url}CallSidCA1Digits1234From+14155550100To+14155550111`;
    expect(sign('12345', url, fields)).toBe(createHmac('sha1', '12345').update(data).digest('base64'));
    expect(sign('12345', url, fields)).toBe(twilio.getExpectedTwilioSignature('12345', url, fields));
  });

  it.each([
    ['https://example.com/call/outgoing/abc', { b: '2', a: '1', A: 'ä é' }],
    ['https://example.com:8443/x?y=1', { list: ['z', 'a', 'z'], one: '' }],
    ['wss://example.com/media/abc', {}],
  ])("is accepted by Twilio's own validator for %s", (url, fields) => {
    const signature = sign('token', url, fields);
    expect(twilio.validateRequest('token', signature, url, fields)).toBe(true);
    expect(twilio.validateRequest('other', signature, url, fields)).toBe(false);
  });
});

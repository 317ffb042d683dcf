import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { parseTwiml, TwimlError } from '../../../src/simulator/twilio/twiml.ts';

function codeOf(text: string): number | null {
  try {
    parseTwiml(text);
    return null;
  } catch (error) {
    if (error instanceof TwimlError) return error.code;
    throw error;
  }
}

describe('parseTwiml', () => {
  it("reads what Twilio's own builder writes", () => {
    const response = new twilio.twiml.VoiceResponse();
    const connect = response.connect({ action: 'https://example.com/after?a=1&b=2' });
    connect.stream({ url: 'wss://example.com/media/x', name: 'n' }).parameter({ name: 'token', value: '<"&\'>ü' });
    response.pause({ length: 2 });
    response.say({ language: 'pt-BR' }, 'Até logo & obrigado');
    response.hangup();
    expect(parseTwiml(response.toString())).toEqual([
      {
        verb: 'Connect',
        action: 'https://example.com/after?a=1&b=2',
        method: 'POST',
        stream: {
          url: 'wss://example.com/media/x',
          name: 'n',
          statusCallback: null,
          statusCallbackMethod: 'POST',
          parameters: { token: '<"&\'>ü' },
        },
      },
      { verb: 'Pause', durationMs: 2_000 },
      { verb: 'Say', text: 'Até logo & obrigado', language: 'pt-BR', voice: null },
      { verb: 'Hangup' },
    ]);
  });

  it('understands comments, character data, references and single quotes', () => {
    const text =
      "<?xml version='1.0'?><!-- a --><Response>\n <Say voice='x'>a<![CDATA[<b>]]>&#65;&#x42;</Say><!-- b --></Response>\n";
    expect(parseTwiml(text)).toMatchObject([{ verb: 'Say', text: 'a<b>AB', voice: 'x' }]);
  });

  it.each([
    ['an empty document', ''],
    ['plain text', 'hello'],
    ['white space before the declaration', ' <?xml version="1.0"?><Response/>'],
    ['an element that is not ended', '<Response><Say>hi</Response>'],
    ['a bare ampersand', '<Response><Redirect>https://example.com/?a=1&b=2</Redirect></Response>'],
    ['an unquoted attribute', '<Response><Pause length=2/></Response>'],
    ['a doubled attribute', '<Response><Pause length="1" length="2"/></Response>'],
    ['an unknown entity', '<Response><Say>&nbsp;</Say></Response>'],
    ['a second root', '<Response/><Response/>'],
    ['a document type', '<!DOCTYPE Response><Response/>'],
    ['another root', '<Answer/>'],
  ])('refuses %s as a parse failure', (_, text) => {
    expect(codeOf(text)).toBe(12100);
  });

  it.each([
    ['an unknown verb', '<Response><Sing/></Response>'],
    ['a verb in the wrong case', '<Response><hangup/></Response>'],
    ['an unknown attribute', '<Response><Hangup now="1"/></Response>'],
    ['loose text', '<Response>hello</Response>'],
    ['a Connect without a stream', '<Response><Connect/></Response>'],
    ['a stream without an address', '<Response><Connect><Stream/></Connect></Response>'],
    [
      'a parameter of 500 characters',
      `<Response><Connect><Stream url="wss://h/"><Parameter name="t" value="${'x'.repeat(499)}"/></Stream></Connect></Response>`,
    ],
  ])('refuses %s by the schema', (_, text) => {
    expect(codeOf(text)).toBe(12200);
  });

  it('refuses another track than the inbound one within Connect', () => {
    expect(codeOf('<Response><Connect><Stream url="wss://h/" track="both_tracks"/></Connect></Response>')).toBe(31941);
  });
});

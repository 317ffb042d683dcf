import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { secretForms } from '../../src/config/secrets.ts';

const formsOf = (env: Record<string, string>): readonly string[] => secretForms(readConfig({ env }).config);

describe('what is blotted out of logs', () => {
  it('is the password of the call records alone too, as it is written in the address and as it is meant', () => {
    const forms = formsOf({ CDR_DATABASE_URL: 'postgres://reader:cdr%2Fpass%20word@127.0.0.1/asterisk' });
    expect(forms).toEqual(expect.arrayContaining(['cdr%2Fpass%20word', 'cdr/pass word']));
    expect(forms).not.toContain('reader');
  });

  it('is the header that Asterisk shows with the audio of a call', () => {
    const forms = formsOf({ ASTERISK_MEDIA_USERNAME: 'asterisk', ASTERISK_MEDIA_PASSWORD: 'media-password-1' });
    const header = Buffer.from('asterisk:media-password-1').toString('base64');
    expect(forms.some((form) => header.startsWith(form))).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { missingForCalls, requireForCalls, secretsOf, usualVia } from '../../src/config/config.ts';
import { ConfigError } from '../../src/errors.ts';
import { COMPLETE, read } from './read.ts';

describe('the settings of 3CX', () => {
  const address = (PBX_FQDN: string) => read({ PBX_FQDN });

  it('take a host name, with or without a port, or a whole address', () => {
    expect(address('pbx.example.com').config.pbxFqdn).toBe('https://pbx.example.com');
    expect(address('pbx.example.com:5001').config.pbxFqdn).toBe('https://pbx.example.com:5001');
    expect(address('https://pbx.example.com:5001/').config.pbxFqdn).toBe('https://pbx.example.com:5001');
    expect(address('http://127.0.0.1:4020').config.pbxFqdn).toBe('http://127.0.0.1:4020');
  });

  it.each([
    ['http://pbx.example.com', /must be a host name/],
    ['ftp://pbx.example.com', /must be a host name/],
    ['https://me:hidden@pbx.example.com', /user name or password/],
    ['pbx.example.com/webclient', /without a path/],
  ])('refuse %s', (given, reason) => {
    const { config, complaints } = address(given);
    expect(config.pbxFqdn).toBeNull();
    expect(complaints.map(({ message }) => message).join()).toMatch(reason);
    expect(complaints.map(({ message }) => message).join()).not.toContain('hidden');
  });

  it('make calls go over 3CX where nothing else is set up', () => {
    const env = {
      PBX_FQDN: 'pbx.example.com',
      PBX_CLIENT_ID: '8000',
      PBX_CLIENT_SECRET: 'a-secret',
      OPENAI_API_KEY: 'k',
    };
    expect(usualVia(read(env).config)).toBe('3cx');
    expect(usualVia(read({ ...env, ...COMPLETE }).config)).toBe('twilio');
    expect(() => requireForCalls(read({ PBX_FQDN: 'pbx.example.com' }).config, [], '3cx')).toThrow(
      /over 3CX cannot be placed yet: PBX_CLIENT_ID, PBX_CLIENT_SECRET, OPENAI_API_KEY are not set/,
    );
  });
});

describe('what calls need', () => {
  it('is complete with five settings, or with the simulators', () => {
    expect(missingForCalls(read(COMPLETE).config)).toEqual([]);
    expect(() => requireForCalls(read(COMPLETE).config)).not.toThrow();
    expect(() => requireForCalls(read({}, { argv: ['--simulate'] }).config)).not.toThrow();
  });

  it('is named in one sentence that says what to do, after the complaints', () => {
    const { config, complaints } = read({ ...COMPLETE, OPENAI_API_KEY: '', TWILIO_NUMBER: '555' });
    expect(missingForCalls(config)).toEqual(['TWILIO_NUMBER', 'OPENAI_API_KEY']);
    const attempt = () => requireForCalls(config, complaints);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(
      /^TWILIO_NUMBER must be a telephone number .*\nCalls cannot be placed yet: OPENAI_API_KEY is not set\. Set what is missing/,
    );
  });

  it('is that of Asterisk where only Asterisk has been begun, and of Twilio where an account of it is there', () => {
    const office = { AMI_HOST: 'pbx.example.com', AMI_USERNAME: 'switchboard', AMI_SECRET: 'a-secret-of-ami' };
    const tools = read(office).config;
    expect(usualVia(tools)).toBe('twilio');
    const begun = { ...office, ASTERISK_MEDIA_USERNAME: 'asterisk' };
    expect(missingForCalls(read(begun).config)).toEqual(['ASTERISK_MEDIA_PASSWORD', 'OPENAI_API_KEY']);
    expect(usualVia(read({ ...begun, TWILIO_NUMBER: '+14155550100' }).config)).toBe('twilio');
    expect(usualVia(read({ ...COMPLETE, ...begun, ASTERISK_MEDIA_PASSWORD: 'media-password-16' }).config)).toBe(
      'twilio',
    );
  });

  it('includes good guard rails: a list that cannot be read stops calls', () => {
    const { config, complaints } = read({ ...COMPLETE, BLOCKED_NUMBERS: '900' });
    expect(() => requireForCalls(config, complaints)).toThrow(/BLOCKED_NUMBERS/);
  });
});

describe('secretsOf', () => {
  it('gives every secret that is set, and nothing else', () => {
    const env = {
      ...COMPLETE,
      TWILIO_AUTH_TOKEN_SECONDARY: 'second',
      MCP_AUTH_TOKEN: 'sixteen-letters-x',
      OPENAI_VOICE: 'ash',
    };
    expect([...secretsOf(read(env).config)].sort()).toEqual([
      'openai-key',
      'second',
      'sixteen-letters-x',
      'twilio-token',
    ]);
  });
});

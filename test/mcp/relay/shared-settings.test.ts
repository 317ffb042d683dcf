import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { type Differences, differencesTo, digestsOf } from '../../../src/mcp/relay/shared-settings.ts';

type Env = Readonly<Record<string, string>>;

const TOKEN = 'the-token-of-the-owner-0123456789-0123456789';
const SECRET = 'canary-0123456789abcdef';
const MACHINE = { platform: 'linux', home: '/home/kaethe' } as const;
const reading = (env: Env, argv: readonly string[] = []) => readConfig({ env, argv, machine: MACHINE });

function between(owner: Env, client: Env, argv: readonly string[] = []): Differences {
  return differencesTo(reading(owner).config, digestsOf(reading(client, argv), TOKEN), TOKEN);
}

const NONE: Differences = { binding: [], unreadable: [], others: [] };

describe('the settings of a client beside those of the owner', () => {
  it.each<[string, Env, Env, Partial<Differences>]>([
    ['the same', { ALLOWED_NUMBERS: '+1415' }, { ALLOWED_NUMBERS: '+1415' }, {}],
    ['the same in another form', { ALLOWED_NUMBERS: '+1415,+44' }, { ALLOWED_NUMBERS: ' +1415 , +44 ' }, {}],
    ['what the client was not given', { ALLOWED_NUMBERS: '+1415' }, {}, {}],
    ['the default, given', {}, { MAX_CALL_SECONDS: '900' }, {}],
    ['a guard rail that the owner has not', {}, { ALLOWED_NUMBERS: '+1415' }, { binding: ['ALLOWED_NUMBERS'] }],
    ['another secret', { OPENAI_API_KEY: SECRET }, { OPENAI_API_KEY: `${SECRET}-2` }, { binding: ['OPENAI_API_KEY'] }],
    ['another voice', {}, { OPENAI_VOICE: 'marin' }, { others: ['OPENAI_VOICE'] }],
    ['what is each client’s own', {}, { LOG_LEVEL: 'trace', DATA_DIR: '/tmp/other', READ_ONLY: 'true' }, {}],
    ['a list that cannot be read', {}, { ALLOWED_NUMBERS: 'nobody' }, { unreadable: ['ALLOWED_NUMBERS'] }],
    ['a switch that cannot be read', {}, { READ_ONLY: 'perhaps' }, { unreadable: ['READ_ONLY'] }],
  ])('are compared by value: %s', (_, owner, client, differences) => {
    expect(between(owner, client)).toEqual({ ...NONE, ...differences });
  });

  it('differ when one of the two is simulated', () => {
    expect(between({}, {}, ['--simulate']).binding).toEqual(['--simulate']);
  });

  it('may be anything when the file that holds them cannot be read', () => {
    // A folder is no file.
    const client = readConfig({ env: {}, dotenvFile: tmpdir(), machine: MACHINE });
    expect(differencesTo(reading({}).config, digestsOf(client, TOKEN), TOKEN)).toEqual({
      ...NONE,
      unreadable: ['.env'],
    });
  });

  it('are told as digests that are others for each owner and each setting', () => {
    const own = reading({ OPENAI_API_KEY: SECRET, TWILIO_AUTH_TOKEN: SECRET, ALLOWED_NUMBERS: '+1415' });
    const digests = digestsOf(own, TOKEN);
    expect(Object.keys(digests)).toContain('OPENAI_API_KEY');
    expect(JSON.stringify(digests)).not.toMatch(/canary|1415/);
    const all = [...Object.values(digests), ...Object.values(digestsOf(own, `${TOKEN}-2`))];
    expect(new Set(all).size).toBe(all.length);
  });
});

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { blottedText, blottedValue, isSecretName } from '../../../src/cli/voipms/blot.ts';
import { bashCompletion } from '../../../src/cli/voipms/completion.ts';
import { type Format, shown } from '../../../src/cli/voipms/format.ts';
import { methodHelp, methodList } from '../../../src/cli/voipms/help.ts';
import { METHODS } from '../../../src/pbx/voipms/methods.ts';

function show(body: Readonly<Record<string, unknown>>, format: Format = 'pretty', changes = false): string {
  const { status = 'success' } = body;
  return shown({ status: String(status), body: { status, ...body }, text: JSON.stringify(body) }, format, changes);
}

describe('an answer for a person', () => {
  it('is a table where it is a list, without columns that are empty', () => {
    const rows = [
      { phonebook: '1', name: 'Ada', number: '4155550123', note: '' },
      { phonebook: '22', name: 'Bo', number: '4155550124', note: '' },
    ];
    expect(show({ phonebooks: rows })).toBe(
      '2 in phonebooks\n\nphonebook  name  number\n1          Ada   4155550123\n22         Bo    4155550124\n',
    );
  });

  it('says that nothing was found, or that a change is done', () => {
    expect(show({ status: 'no_cdr' })).toBe('Nothing found (no_cdr).\n');
    expect(show({}, 'pretty', true)).toBe('Done.\n');
    expect(show({ group: '7' }, 'pretty', true)).toBe('Done.\ngroup: 7\n');
    expect(show({ transcriptions: [] })).toBe('transcriptions: none\n');
  });

  it('has the one row of a list as a list, and sound as its size', () => {
    expect(show({ accounts: { value: 'all', description: 'All' } })).toContain('1 in accounts');
    expect(show({ duration: '00:26', base64file: '//MY wAAA' })).toBe(
      'duration: 00:26\n\nbase64file: 6 bytes; --format json has them\n',
    );
  });

  it('cannot steer the terminal', () => {
    const text = show({ sms: [{ id: '1', message: '\u001b[2Jgone\u202e\nnew line' }] });
    expect(text.includes('\u001b') || text.includes('\u202e')).toBe(false);
    expect(text.trimEnd().split('\n')).toHaveLength(4);
  });

  it('shows what was said line by line', () => {
    const phrases = [{ time: '2026-03-20 10:00:01', speaker: 1, phrase: 'Hello.' }];
    const text = show({
      transcriptions: [{ date: '2026-03-20 10:00:00', speakers: ['4155550123'], recognized_phrases: phrases }],
    });
    expect(text).toContain('  speakers: 4155550123');
    expect(text).toMatch(/ {2}2026-03-20 10:00:01 {2}1 +Hello\./);
  });
});

describe('an answer for a program', () => {
  it('has lists always as lists, the status first, and sound without spaces', () => {
    expect(show({ recordings: { duration: '00:26' }, base64file: '//MY wAAA' }, 'json')).toBe(
      `${JSON.stringify({ status: 'success', recordings: [{ duration: '00:26' }], base64file: '//MYwAAA' }, null, 2)}\n`,
    );
  });
});

describe('passwords and pins', () => {
  it.each(['password', 'queue_password', 'confirm_password', 'smpp_pass', 'pin', 'port_out_pin', 'security_code'])(
    '%s is one',
    (name) => {
      expect(isSecretName(name)).toBe(true);
    },
  );

  it.each(['skip_password', 'security_code_enabled', 'shipping', 'spinning', 'passenger', 'name', 'ring_strategy'])(
    '%s is none',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );

  it('are blotted out however deep, and in a text that is cut off', () => {
    const value = { accounts: [{ name: 'a', password: 'x"y', inner: { pin: 12 } }], password: '' };
    const blotted = { accounts: [{ name: 'a', password: '[secret]', inner: { pin: '[secret]' } }], password: '' };
    expect(blottedValue(value)).toEqual(blotted);
    expect(blottedText(JSON.stringify(value))).toBe(JSON.stringify(blotted));
    expect(blottedText('{"pin" : 1234, "name":"pin"')).toBe('{"pin" : "[secret]", "name":"pin"');
  });

  it('are known of every documented parameter that is said to be one', () => {
    const said = METHODS.flatMap(({ params }) => params).filter(({ about }) => about.includes('blotted out'));
    const known = METHODS.flatMap(({ params }) => params).filter(({ name }) => isSecretName(name));
    expect([...new Set(said.map(({ name }) => name))].toSorted()).toEqual(
      [...new Set(known.map(({ name }) => name))].filter((name) => name !== 'confirm_password').toSorted(),
    );
  });
});

describe('help', () => {
  it('is there for every method, with a line for each parameter', () => {
    for (const { name, params } of METHODS) {
      const lines = methodHelp(name).split('\n');
      for (const parameter of params)
        expect(lines.find((line) => line.slice(4).startsWith(`${parameter.name} `) && line.length > 8)).toBeDefined();
    }
  });

  it('knows what was meant', () => {
    expect(() => methodHelp('getPhonebok')).toThrow('Is getPhonebook meant?');
    expect(() => methodList('xyzzy')).toThrow('No documented method');
  });
});

describe.skipIf(process.platform === 'win32')('completion in bash', () => {
  function complete(...words: string[]): readonly string[] {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const script = `${bashCompletion()}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _switchboard_voipms; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '');
  }

  it('completes methods, the names of their parameters, and options', () => {
    expect(complete('switchboard', 'v')).toEqual(['voipms']);
    expect(complete('switchboard', 'voipms', 'getPhonebook')).toEqual(['getPhonebook', 'getPhonebookGroups']);
    expect(complete('switchboard', 'voipms', 'help', 'getIP')).toEqual(['getIP']);
    expect(complete('switchboard', 'voipms', 'getCDR', 'date_')).toEqual(['date_from=', 'date_to=']);
    expect(complete('switchboard', 'voipms', 'cdr', 'd')).toEqual(['days=']);
    expect(complete('switchboard', 'voipms', 'getCDR', '--f')).toEqual(['--format']);
    expect(complete('switchboard', 'voipms', 'getCDR', '--format', '')).toEqual(['pretty', 'json', 'raw']);
  });

  it('says nothing where it knows nothing', () => {
    expect(complete('switchboard', 'demo', '')).toEqual([]);
    expect(complete('switchboard', 'voipms', 'getCDR', 'date_from', '=', '2')).toEqual([]);
    expect(complete('switchboard', 'voipms', 'getCDR', 'date_from', '=')).toEqual([]);
  });
});

/** Rules that softphones import: what they do to numbers, and above all what they leave alone. */
import { describe, expect, it } from 'vitest';
import { dialledFor } from '../../../src/pbx/asterisk/numbers.ts';
import { softphoneRules } from '../../../src/pbx/asterisk/softphones.ts';

describe('rules for softphones', () => {
  const options = {
    country: { iso: 'US', name: 'United States', code: '1' },
    plus: '011',
    featureCodes: ['*97'],
    extensions: ['_1XXX'],
  };
  /** What Groundwire makes of a number by its rules: the first whose conditions all hold. */
  const rewritten = (xml: string, number: string): string => {
    for (const [, conditions = '', action = '', param = ''] of xml.matchAll(
      /<conditions>([\s\S]*?)<\/conditions>\s*<actions>\s*<action type="(\w+)" param="([^"]*)"\/>/g,
    )) {
      const all = [...conditions.matchAll(/type="(\w+)" param="([^"]*)"/g)];
      const holds = all.every(([, type, value = '']) =>
        type === 'startsWith'
          ? number.startsWith(value)
          : type === 'lengthEquals'
            ? number.length === Number(value)
            : number.length > Number(value),
      );
      const start = all.find(([, type]) => type === 'startsWith')?.[2] ?? '';
      if (holds) return action === 'prepend' ? param + number : param + number.slice(start.length);
    }
    return number;
  };

  it('rewrite in Groundwire what is to be rewritten, and never an emergency number, an extension or a code', () => {
    const { artifact } = softphoneRules('groundwire', options);
    expect(rewritten(artifact, '+14155550123')).toBe('14155550123');
    expect(rewritten(artifact, '4155550123')).toBe('14155550123');
    expect(rewritten(artifact, '+442079460018')).toBe('011442079460018');
    for (const same of ['911', '112', '+112', '988', '1001', '*97', '14155550123'])
      expect(rewritten(artifact, same)).toBe(same);
    const german = softphoneRules('groundwire', {
      ...options,
      country: { iso: 'DE', name: 'Germany', code: '49' },
      plus: '00',
    }).artifact;
    expect(rewritten(german, '+4930123456')).toBe('004930123456');
    for (const same of ['110', '112', '030123456']) expect(rewritten(german, same)).toBe(same);
  });

  it('make in Groundwire of a North American number what the telephone system dials for it, also behind an outside line', () => {
    for (const plus of ['011', '9011', '+', '00']) {
      const { artifact } = softphoneRules('groundwire', { ...options, plus });
      const dialled = dialledFor('+14155550123', 'US', plus);
      for (const written of ['+14155550123', '4155550123', '14155550123'])
        expect(rewritten(artifact, written), `${plus} ${written}`).toBe(dialled);
      expect(rewritten(artifact, '+442079460018')).toBe(dialledFor('+442079460018', 'US', plus));
      for (const same of ['911', '112', '+112', '988', '1001', '*97']) expect(rewritten(artifact, same)).toBe(same);
    }
  });

  it('leave every number alone in Linphone and Zoiper, whose country code would go before short ones too, and say so', () => {
    for (const plus of ['011', '9011', '+']) {
      const linphone = softphoneRules('linphone', { ...options, plus });
      expect(linphone.artifact).toContain('name="use_dial_prefix_for_calls_and_chats" overwrite="true">0<');
      expect(linphone.artifact).toContain('name="dial_escape_plus" overwrite="true">0<');
      expect(linphone.artifact).not.toContain('name="dial_prefix"');
      const zoiper = softphoneRules('zoiper', { ...options, plus });
      expect(zoiper.artifact).toContain('<use_number_rewriting>false<');
      expect(zoiper.artifact).not.toContain('number_rewriting_country');
      for (const { rulesNotExpressible } of [linphone, zoiper]) {
        const rules = rulesNotExpressible.map(({ rule, why }) => `${rule}: ${why}`);
        expect(rules).toContainEqual(expect.stringMatching(/country code 1 .*emergency numbers/));
        if (plus !== '+') expect(rules).toContainEqual(expect.stringContaining(`+ becomes ${plus}: `));
      }
    }
  });

  it.each(['groundwire', 'linphone', 'zoiper'] as const)(
    'say what %s cannot express, hold no password, and are well-formed',
    (phone) => {
      const made = softphoneRules(phone, options);
      expect(made.rulesNotExpressible.length).toBeGreaterThan(0);
      expect(made.rulesNotExpressible.every(({ why }) => why.length > 20)).toBe(true);
      expect(made.untestedSyntax.length).toBeGreaterThan(0);
      expect(made.artifact).not.toMatch(/password|secret/i);
      const tags = [...made.artifact.replace(/<\?.*?\?>/, '').matchAll(/<(\/?)([\w]+)[^>]*?(\/?)>/g)];
      const open: string[] = [];
      for (const [, closes, name = '', single] of tags) {
        if (closes) expect(open.pop()).toBe(name);
        else if (!single) open.push(name);
      }
      expect(open).toEqual([]);
    },
  );
});

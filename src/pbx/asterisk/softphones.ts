/**
 * Dial rules in the syntax that a softphone really reads. Groundwire (Acrobits) has rewriting rules of conditions and an action, the
 * first that matches wins. Emergency numbers and extensions are touched by none: every rule demands a length or a beginning that they do
 * not have. Linphone and Zoiper have a country code and an international prefix and no rules, so there nothing is rewritten at all.
 */
import { type Country, dialledFor } from './numbers.ts';

export type Softphone = 'groundwire' | 'linphone' | 'zoiper';

export interface SoftphoneRules {
  readonly format: string;
  readonly artifact: string;
  readonly rulesApplied: readonly string[];
  readonly rulesNotExpressible: readonly { readonly rule: string; readonly why: string }[];
  /** Spellings that no document of the vendor shows. */
  readonly untestedSyntax: readonly string[];
}

export interface SoftphoneOptions {
  readonly country: Country;
  /** What the telephone system wants in place of +, such as 011 or 00; `+` where it takes the number as it is. */
  readonly plus: string;
  readonly featureCodes: readonly string[];
  /** Numbers and patterns of the dial plan that are extensions. */
  readonly extensions: readonly string[];
}

export function softphoneRules(phone: Softphone, options: SoftphoneOptions): SoftphoneRules {
  switch (phone) {
    case 'groundwire':
      return groundwire(options);
    case 'linphone':
      return linphone(options);
    case 'zoiper':
      return zoiper(options);
    default:
      return phone satisfies never;
  }
}

interface Rewrite {
  readonly says: string;
  readonly conditions: readonly (readonly [type: 'startsWith' | 'lengthEquals' | 'longerThan', param: string])[];
  readonly action: readonly [type: 'replace' | 'prepend', param: string];
}

const SERVER_DECIDES =
  'Emergency numbers and what may be dialled at all are decided on the telephone system, never on the phone.';

const NONE_REWRITTEN =
  'no number is rewritten: emergency numbers, extensions and all others go to the telephone system as they were dialled';

function groundwire(options: SoftphoneOptions): SoftphoneRules {
  const rewrites = options.country.code === '1' ? americanRewrites(options) : otherRewrites(options);
  const rules = rewrites.map(({ conditions, action }) =>
    [
      '    <rule>',
      '      <conditions>',
      ...conditions.map(([type, param]) => `        <condition type="${type}" param="${escaped(param)}"/>`),
      '      </conditions>',
      '      <actions>',
      `        <action type="${action[0]}" param="${escaped(action[1])}"/>`,
      '      </actions>',
      '    </rule>',
    ].join('\n'),
  );
  return {
    format: 'Acrobits account XML, the part <rewriting>',
    artifact: `<account>\n  <rewriting>\n${rules.join('\n')}${rules.length > 0 ? '\n' : ''}  </rewriting>\n</account>\n`,
    rulesApplied: [...rewrites.map(({ says }) => says), ...untouched(options)],
    rulesNotExpressible: [
      {
        rule: 'Waiting for further digits (inter-digit timeout)',
        why: 'Groundwire sends the number when the call button is pressed; it has no digit map.',
      },
      { rule: 'Forbidding numbers', why: SERVER_DECIDES },
    ],
    untestedSyntax: [
      'The XML spellings come from provisioning files of providers; Acrobits documents the conditions and actions, not this text.',
    ],
  };
}

/** +1 and ten digits, ten digits alone and 1 with ten digits become what is dialled for such a number here; any other + what stands for it. */
function americanRewrites({ plus, country }: SoftphoneOptions): readonly Rewrite[] {
  const one = dialledFor('+1', country.iso, plus);
  const near: Rewrite[] =
    one === '+1'
      ? []
      : [
          {
            says: `+1 and ten digits: +1 becomes ${one}`,
            conditions: [
              ['startsWith', '+1'],
              ['lengthEquals', '12'],
            ],
            action: ['replace', one],
          },
        ];
  const eleven: Rewrite[] =
    one === '1'
      ? []
      : [
          {
            says: `1 and ten digits: 1 becomes ${one}`,
            conditions: [
              ['startsWith', '1'],
              ['lengthEquals', '11'],
            ],
            action: ['replace', one],
          },
        ];
  const ten = ['2', '3', '4', '5', '6', '7', '8', '9'].map(
    (digit): Rewrite => ({
      says: `ten digits that begin with ${digit}: ${one} is put before them`,
      conditions: [
        ['startsWith', digit],
        ['lengthEquals', '10'],
      ],
      action: ['prepend', one],
    }),
  );
  return [...near, ...eleven, ...ten, ...plusRewrite(plus, `+ before any other number becomes ${plus}`)];
}

function otherRewrites({ plus, country }: SoftphoneOptions): readonly Rewrite[] {
  return plusRewrite(plus, `+ becomes ${plus} (also for +${country.code})`);
}

function plusRewrite(plus: string, says: string): readonly Rewrite[] {
  if (plus === '+') return [];
  const conditions = [
    ['startsWith', '+'],
    ['longerThan', '8'],
  ] as const;
  return [{ says, conditions, action: ['replace', plus] }];
}

/** Its country code goes before short numbers too, so its rewriting is off: 911 would become +1911, and extension 1001 +11001. */
function linphone(options: SoftphoneOptions): SoftphoneRules {
  const entry = (name: string, value: string) => `    <entry name="${name}" overwrite="true">${value}</entry>`;
  const lines = [entry('use_dial_prefix_for_calls_and_chats', '0'), entry('dial_escape_plus', '0')];
  return {
    format: 'Linphone remote provisioning XML',
    artifact: `<?xml version="1.0" encoding="UTF-8"?>\n<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">\n  <section name="proxy_0">\n${lines.join('\n')}\n  </section>\n</config>\n`,
    rulesApplied: [NONE_REWRITTEN],
    rulesNotExpressible: [
      ...withoutRewriting('Linphone', options),
      ...(options.plus === '+'
        ? []
        : [
            {
              rule: `+ becomes ${options.plus}`,
              why: 'Linphone replaces + only together with the country code, and then with the country’s own international prefix, never with another one: let the dial plan take numbers with +.',
            },
          ]),
    ],
    untestedSyntax: [
      'The namespace and the attribute overwrite come from Linphone’s wiki; the names of section and entries from its source.',
    ],
  };
}

/** Its documentation says that a country code is put before numbers that have none, and excepts no short ones: so that is off. */
function zoiper(options: SoftphoneOptions): SoftphoneRules {
  return {
    format: 'Zoiper provisioning XML (prov_version 1.14), the options of an account',
    artifact:
      '<options>\n  <prov_version>1.14</prov_version>\n  <accounts>\n    <account>\n      <protocol>sip</protocol>\n      <use_number_rewriting>false</use_number_rewriting>\n      <use_strip_dial_chars>true</use_strip_dial_chars>\n      <strip_dial_chars> .-()[]{}</strip_dial_chars>\n      <use_overlap_dialing>false</use_overlap_dialing>\n    </account>\n  </accounts>\n</options>\n',
    rulesApplied: ['spaces, dots, dashes and brackets are taken out', NONE_REWRITTEN],
    rulesNotExpressible: [
      ...withoutRewriting('Zoiper', options),
      ...(options.plus === '+'
        ? []
        : [
            {
              rule: `+ becomes ${options.plus}`,
              why: 'Zoiper replaces + only together with the country code: let the dial plan take numbers with +.',
            },
          ]),
    ],
    untestedSyntax: ['The names come from Zoiper’s provisioning documentation; nothing was imported into a Zoiper.'],
  };
}

function withoutRewriting(phone: string, { country }: SoftphoneOptions): SoftphoneRules['rulesNotExpressible'] {
  return [
    {
      rule: `National numbers get the country code ${country.code} (${country.iso})`,
      why: `${phone} would put it before short numbers too, such as emergency numbers and extensions, so its rewriting is switched off.`,
    },
    { rule: 'Forbidding numbers', why: SERVER_DECIDES },
  ];
}

function untouched({ featureCodes, extensions }: SoftphoneOptions): readonly string[] {
  return [
    ...(extensions.length > 0
      ? [`extensions (${extensions.slice(0, 20).join(', ')}) are left as they are: no rule matches them`]
      : []),
    ...(featureCodes.length > 0
      ? [`feature codes (${featureCodes.slice(0, 20).join(', ')}) are left as they are: no rule matches them`]
      : []),
    'emergency numbers are left as they are: no rule matches so few digits',
  ];
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/**
 * Dial rules in the syntax that a softphone really reads. Groundwire (Acrobits) has rewriting rules of conditions and an action, the
 * first that matches wins; Linphone and Zoiper have a country code and an international prefix, and no rules. Emergency numbers and
 * extensions are touched by none: every rule demands a length or a beginning that they do not have.
 */
export type Softphone = 'groundwire' | 'linphone' | 'zoiper';

export interface Country {
  /** ISO 3166, such as US. */
  readonly iso: string;
  /** English name, as Zoiper lists it. */
  readonly name: string;
  /** Country calling code without +. */
  readonly code: string;
}

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

/** +1 and ten digits → 1 and ten digits; ten digits → 1 before them; any other + → what stands for it here. */
function americanRewrites({ plus }: SoftphoneOptions): readonly Rewrite[] {
  const ten = ['2', '3', '4', '5', '6', '7', '8', '9'];
  const international: Rewrite[] =
    plus === '+'
      ? []
      : [
          {
            says: `+ before any other number becomes ${plus}`,
            conditions: [
              ['startsWith', '+'],
              ['longerThan', '8'],
            ],
            action: ['replace', plus],
          },
        ];
  return [
    {
      says: '+1 and ten digits: the + is dropped',
      conditions: [
        ['startsWith', '+1'],
        ['lengthEquals', '12'],
      ],
      action: ['replace', '1'],
    },
    ...ten.map(
      (digit): Rewrite => ({
        says: `ten digits that begin with ${digit}: 1 is put before them`,
        conditions: [
          ['startsWith', digit],
          ['lengthEquals', '10'],
        ],
        action: ['prepend', '1'],
      }),
    ),
    ...international,
  ];
}

function otherRewrites({ plus, country }: SoftphoneOptions): readonly Rewrite[] {
  if (plus === '+') return [];
  return [
    {
      says: `+ becomes ${plus} (also for +${country.code})`,
      conditions: [
        ['startsWith', '+'],
        ['longerThan', '8'],
      ],
      action: ['replace', plus],
    },
  ];
}

function linphone(options: SoftphoneOptions): SoftphoneRules {
  const { country, plus } = options;
  const entry = (name: string, value: string) => `    <entry name="${name}" overwrite="true">${escaped(value)}</entry>`;
  const lines = [
    entry('dial_prefix', country.code),
    entry('dial_prefix_iso_country_code', country.iso),
    entry('use_dial_prefix_for_calls_and_chats', '1'),
    entry('dial_escape_plus', plus === '+' ? '0' : '1'),
  ];
  return {
    format: 'Linphone remote provisioning XML',
    artifact: `<?xml version="1.0" encoding="UTF-8"?>\n<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">\n  <section name="proxy_0">\n${lines.join('\n')}\n  </section>\n</config>\n`,
    rulesApplied: [
      `national numbers get the country code ${country.code} (${country.iso})`,
      ...(plus === '+' ? [] : ['+ is replaced with the international prefix that Linphone knows for the country']),
    ],
    rulesNotExpressible: prefixOnly('Linphone', options),
    untestedSyntax: [
      'The namespace and the attribute overwrite come from Linphone’s wiki; the names of section and entries from its source.',
    ],
  };
}

function zoiper(options: SoftphoneOptions): SoftphoneRules {
  const { country, plus } = options;
  const prefix = plus === '+' ? '' : `      <number_rewriting_prefix>${escaped(plus)}</number_rewriting_prefix>\n`;
  return {
    format: 'Zoiper provisioning XML (prov_version 1.14), the options of an account',
    artifact: `<options>\n  <prov_version>1.14</prov_version>\n  <accounts>\n    <account>\n      <protocol>sip</protocol>\n      <use_number_rewriting>true</use_number_rewriting>\n      <number_rewriting_country>${escaped(country.name)}</number_rewriting_country>\n${prefix}      <use_strip_dial_chars>true</use_strip_dial_chars>\n      <strip_dial_chars> .-()[]{}</strip_dial_chars>\n      <use_overlap_dialing>false</use_overlap_dialing>\n    </account>\n  </accounts>\n</options>\n`,
    rulesApplied: [
      `numbers are rewritten for ${country.name}`,
      ...(plus === '+' ? [] : [`the international prefix is ${plus}`]),
      'spaces, dots, dashes and brackets are taken out',
    ],
    rulesNotExpressible: prefixOnly('Zoiper', options),
    untestedSyntax: ['The name of the country is written in English; Zoiper does not document the exact words.'],
  };
}

function prefixOnly(
  phone: string,
  { featureCodes, extensions }: SoftphoneOptions,
): SoftphoneRules['rulesNotExpressible'] {
  const why = `${phone} has no rule engine: enforce it with the telephone system’s own rules.`;
  return [
    ...(featureCodes.length > 0
      ? [{ rule: `Feature codes (${featureCodes.slice(0, 20).join(', ')}) are left as they are`, why }]
      : []),
    ...(extensions.length > 0
      ? [{ rule: `Extensions (${extensions.slice(0, 20).join(', ')}) get no country code`, why }]
      : []),
    { rule: 'Emergency numbers are left as they are', why: SERVER_DECIDES },
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

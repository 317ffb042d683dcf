/**
 * Emergency and crisis numbers as one dials them within a country (ITU-T E.129 national numbering plans). In offices many extensions
 * look like emergency numbers of other countries, so there the country decides; in a country that is not listed, every one that any
 * country has counts.
 */
const EVERYWHERE = ['112', '911'];

const BY_COUNTRY: Readonly<Record<string, string>> = {
  AR: '100 101 103 107',
  AT: '122 133 144 140 142 147',
  AU: '000 106',
  BE: '100 101 102 103 106 107 110 116000',
  BR: '188 190 191 192 193 194 197 198 199',
  CA: '988',
  CH: '117 118 144 143 145 147 1414',
  CL: '131 132 133',
  CN: '110 119 120 122',
  CO: '123',
  CZ: '150 155 156 158',
  DE: '110 116116 116117',
  DK: '114',
  ES: '016 061 062 080 091 092 085',
  FI: '116117',
  FR: '15 17 18 114 115 119 191 196 197 3114',
  GB: '999 101 111 105 18000 116123',
  GR: '100 166 199 108',
  HK: '999',
  HU: '104 105 107',
  IE: '999',
  IL: '100 101 102',
  IN: '100 101 102 108 1091 1098',
  IT: '113 115 118 114 1530',
  JP: '110 118 119',
  KR: '119 113 110',
  LU: '113',
  MX: '066',
  MY: '999 994',
  NL: '113 116123',
  NO: '110 113 116117',
  NZ: '111 1737',
  PH: '117',
  PL: '997 998 999',
  PT: '117',
  RO: '112',
  RU: '01 02 03 101 102 103',
  SE: '11414 1177',
  SG: '995 999 1777',
  SK: '150 155 158',
  TH: '191 199 1669',
  TR: '110 112 155 156 177',
  TW: '110 119 113',
  UA: '101 102 103 104',
  US: '933 988',
  ZA: '10111 10177',
};

/** Of countries that are not listed above. */
const ELSEWHERE =
  '104 105 108 109 114 116 125 127 128 129 130 141 160 180 195 198 912 913 914 917 919 977 990 991 992 993 996 1122 1155 116111';

const ALL: ReadonlySet<string> = new Set([
  ...EVERYWHERE,
  ...[...Object.values(BY_COUNTRY), ELSEWHERE].join(' ').split(' '),
]);

/** Of a country that is not listed: all that there are anywhere. */
export function emergencyNumbersOf(country: string): ReadonlySet<string> {
  const listed = BY_COUNTRY[country.toUpperCase()];
  return listed === undefined ? ALL : new Set([...EVERYWHERE, ...listed.split(' ')]);
}

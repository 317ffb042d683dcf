import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { emergencyNumbersOf } from './emergency.ts';

/** Why a number is never called, whatever the settings say. */
export type NumberKind = 'callable' | 'emergency' | 'short' | 'premium' | 'satellite' | 'invalid';

export interface NumberReading {
  readonly kind: NumberKind;
  /** As it would be dialled; only of use when `kind` is `callable`. */
  readonly e164: string;
}

/**
 * National emergency and crisis numbers (ITU-T E.129 national numbering plans): police, fire, ambulance, coast guard, child and
 * suicide lines. No country gives numbers this short to subscribers, so one list serves them all.
 */
const EMERGENCY: ReadonlySet<string> = new Set([
  ...[
    '000',
    '100',
    '101',
    '102',
    '103',
    '104',
    '105',
    '106',
    '107',
    '108',
    '109',
    '110',
    '111',
    '112',
    '113',
    '114',
    '115',
  ],
  ...[
    '116',
    '117',
    '118',
    '119',
    '120',
    '122',
    '123',
    '125',
    '127',
    '128',
    '129',
    '130',
    '131',
    '132',
    '133',
    '140',
    '141',
  ],
  ...[
    '142',
    '143',
    '144',
    '145',
    '147',
    '150',
    '155',
    '156',
    '158',
    '160',
    '166',
    '180',
    '190',
    '191',
    '192',
    '193',
    '194',
  ],
  ...[
    '195',
    '196',
    '197',
    '198',
    '199',
    '911',
    '912',
    '913',
    '914',
    '917',
    '919',
    '933',
    '977',
    '988',
    '990',
    '991',
    '992',
  ],
  ...['993', '994', '995', '996', '997', '998', '999', '1122', '1155', '1669', '116000', '116111', '116117', '116123'],
]);

/** Country codes of satellite and other networks without a country: priced like premium numbers (ITU-T E.164 assignments). */
const SATELLITE = /^(870|88[123]|878)/;
/** International premium rate service (ITU-T E.169.2). */
const PREMIUM_CODE = /^979/;
/** North America: area code 900, and exchange 976 of every area code (NANPA). */
const PREMIUM_IN_AMERICA = /^1(900\d{7}|[2-9]\d\d976\d{4})$/;
/** In Germany and Austria the emergency numbers are also reached with an area code before them, as one dials from abroad. */
const AREA_AND_EMERGENCY = /^(49\d{2,4}11[02]|43\d{1,4}(112|122|133|144))$/;
/** Reserved for films and examples (NANPA: 555-0100 to 555-0199); metadata may call them invalid. */
const FICTIONAL = /^1[2-8]\d\d55501\d\d$/;
/** Twilio's test numbers, which never ring ("Test credentials" in its documentation). */
const TWILIO_TEST = /^1500555\d{4}$/;

const MIN_DIGITS = 7;
const MAX_DIGITS = 15;

/** Reads a number that begins with + and holds digits, spaces and the usual punctuation; anything else is null. */
export function readNumber(written: string): NumberReading | null {
  if (!/^\+[\d\s().-]+$/.test(written)) return null;
  const digits = written.replace(/\D/g, '');
  const e164 = `+${digits}`;
  if (isEmergency(digits)) return { kind: 'emergency', e164 };
  if (digits.length < MIN_DIGITS) return { kind: 'short', e164 };
  if (digits.startsWith('0') || digits.length > MAX_DIGITS) return { kind: 'invalid', e164 };
  if (SATELLITE.test(digits)) return { kind: 'satellite', e164 };
  if (PREMIUM_CODE.test(digits) || PREMIUM_IN_AMERICA.test(digits)) return { kind: 'premium', e164 };
  if (FICTIONAL.test(digits) || TWILIO_TEST.test(digits)) return { kind: 'callable', e164 };
  return judge(e164);
}

function judge(e164: string): NumberReading {
  const number = parsePhoneNumberFromString(e164);
  if (!number) return { kind: 'invalid', e164 };
  // The parser removes a trunk zero, so what it says is what must be judged, and dialled.
  const digits = number.number.slice(1);
  if (isEmergency(digits)) return { kind: 'emergency', e164: number.number };
  if (number.getType() === 'PREMIUM_RATE') return { kind: 'premium', e164: number.number };
  if (number.nationalNumber.length <= 3) return { kind: 'short', e164: number.number };
  return { kind: number.isValid() ? 'callable' : 'invalid', e164: number.number };
}

/** True for an emergency number by itself and after a country code of one to three digits, with or without a trunk zero. */
export function isEmergency(digits: string): boolean {
  if (EMERGENCY.has(digits) || AREA_AND_EMERGENCY.test(digits)) return true;
  return [1, 2, 3].some((length) => {
    const national = digits.slice(length);
    return EMERGENCY.has(national) || (national.startsWith('0') && EMERGENCY.has(national.slice(1)));
  });
}

/** For a number as it is dialled on a telephone of that country, such as 911 or an extension; without anything before it. */
export function isEmergencyIn(country: string, dialled: string): boolean {
  return emergencyNumbersOf(country).has(dialled);
}

/** Name in English and country calling code; null for what is no country. */
export function countryFacts(
  iso: string,
): { readonly iso: string; readonly name: string; readonly code: string } | null {
  const country = iso.toUpperCase();
  if (!isSupportedCountry(country)) return null;
  const name = new Intl.DisplayNames(['en'], { type: 'region' }).of(country) ?? country;
  return { iso: country, name, code: getCountryCallingCode(country) };
}

/** How a number would be written with its country code; null when it makes no sense, or when its country is not known. */
export function suggestE164(written: string, region?: string): string | null {
  const international = written.trim().replace(/^(00|011)(?=[\s-]*[1-9])/, '+');
  const country = region !== undefined && isSupportedCountry(region) ? region : undefined;
  const number = parsePhoneNumberFromString(international, {
    ...(country ? { defaultCountry: country } : {}),
    extract: false,
  });
  return number?.isValid() && !number.ext ? number.number : null;
}

/** ISO 3166 code of the country that a number belongs to; null when it is not known, as for numbers of no country. */
export function countryOf(e164: string): string | null {
  if (FICTIONAL.test(e164.slice(1)) || TWILIO_TEST.test(e164.slice(1))) return 'US';
  return parsePhoneNumberFromString(e164)?.country ?? null;
}

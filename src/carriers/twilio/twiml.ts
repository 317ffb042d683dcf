/** The TwiML documents that we answer with (Twilio docs, "TwiML for Programmable Voice"). */

/** Text as the content of an element or of a double-quoted attribute; control characters that XML 1.0 forbids are dropped. */
export function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to drop
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function response(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${content}</Response>`;
}

/**
 * Connects a bidirectional stream. `afterUrl` is asked when the stream has ended, whoever ended it; the `<Hangup/>` behind it only
 * runs when that URL cannot be asked.
 */
export function streamTwiml(urls: {
  readonly streamUrl: string;
  readonly afterUrl: string;
  readonly token: string;
}): string {
  const stream = `<Stream url="${escapeXml(urls.streamUrl)}"><Parameter name="token" value="${escapeXml(urls.token)}"/></Stream>`;
  return response(`<Connect action="${escapeXml(urls.afterUrl)}" method="POST">${stream}</Connect><Hangup/>`);
}

export function sayTwiml(language: string, text: string): string {
  const tag = sayLanguage(language);
  return response(`<Say${tag === null ? '' : ` language="${tag}"`}>${escapeXml(text)}</Say><Hangup/>`);
}

export function hangUpTwiml(): string {
  return response('<Hangup/>');
}

/** For a call that is over: nothing more to do. */
export function emptyTwiml(): string {
  return response('');
}

/** `<Say>` wants a language with a region; a bare language gets the usual one, an unknown one Twilio's default voice. */
export function sayLanguage(language: string): string | null {
  const [primary = '', ...rest] = language.split('-');
  const region = rest.find((part) => /^[A-Za-z]{2}$/.test(part))?.toUpperCase();
  const usual = SAY_LANGUAGES[primary.toLowerCase()];
  if (usual === undefined) return null;
  if (region === undefined) return usual[0] ?? null;
  return usual.find((tag) => tag.endsWith(`-${region}`)) ?? usual[0] ?? null;
}

/** Twilio docs, "Text-to-speech", languages of the basic and standard voices; the first is the usual one. */
const SAY_LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  ar: ['arb'],
  ca: ['ca-ES'],
  cs: ['cs-CZ'],
  da: ['da-DK'],
  de: ['de-DE', 'de-AT'],
  en: ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-IN'],
  es: ['es-ES', 'es-MX', 'es-US'],
  fi: ['fi-FI'],
  fr: ['fr-FR', 'fr-CA'],
  hi: ['hi-IN'],
  it: ['it-IT'],
  ja: ['ja-JP'],
  ko: ['ko-KR'],
  nb: ['nb-NO'],
  no: ['nb-NO'],
  nl: ['nl-NL'],
  pl: ['pl-PL'],
  pt: ['pt-BR', 'pt-PT'],
  ro: ['ro-RO'],
  ru: ['ru-RU'],
  sv: ['sv-SE'],
  tr: ['tr-TR'],
  zh: ['zh-CN', 'zh-HK', 'zh-TW'],
};

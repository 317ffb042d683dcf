/** Sentences of ours: what the model is told to say at a turn of the call, and what the carrier says when the model cannot. */

export const INSTRUCTIONS = {
  opener: 'The other person has answered but not spoken. Open the conversation now, as your brief tells you to.',
  answer: 'Answer what the other person just said.',
  nudgeFirst: 'The other person has been silent for a while. Ask in a few words whether they are still there.',
  nudgeSecond: 'Still silence. Ask once more, in other words, whether they can hear you.',
  farewell: 'Say one short, polite goodbye now. Do not ask anything and do not start a new subject.',
  farewellLimit:
    'The time for this call is up. Say so in one short sentence with thanks, and say goodbye. Do not ask anything.',
  farewellSilence:
    'There is no answer. Say in one short sentence that you will try again another time, and say goodbye.',
  farewellOperator:
    'You have to end the call now. Say so politely in one short sentence, and say goodbye. Do not ask anything.',
  announceTransfer: 'Say in one short sentence that you are putting them through now. Do not say goodbye.',
  transferFailed:
    'The transfer did not work. Say so in one short sentence, and ask how else you can help or offer to take a message.',
  lineBroke: 'The line broke for a moment. Say so in a few words, and repeat what the other person may have missed.',
  cutOff: 'Your last sentence was cut off before its end. Finish it in a few words.',
  modelCameBack:
    'There was a short interruption on our side. Go on where the conversation stopped; answer the last thing said.',
} as const;

export const MEMOS = {
  warn: 'About half a minute is left for this call. Come to an end: settle what is open, then say goodbye and use end_call.',
  reopened:
    'The other person went on speaking over the goodbye, so the call goes on. Answer them; use end_call again when done.',
  transferFailed: 'The telephone system could not put them through; they are still on the line with you.',
  keysFailed: 'The keys could not be pressed; the other side has not heard them.',
  keyPressed: (digit: string) => `The other person pressed the key ${digit} on their telephone.`,
} as const;

/** What the callee hears from the carrier when the model is dead; by primary language subtag. */
const APOLOGIES: Readonly<Record<string, string>> = {
  en: 'I am sorry, there is a technical problem and I have to end this call. Goodbye.',
  es: 'Lo siento, hay un problema técnico y tengo que terminar esta llamada. Adiós.',
  fr: 'Je suis désolé, un problème technique m’oblige à terminer cet appel. Au revoir.',
  de: 'Es tut mir leid, wegen eines technischen Problems muss ich dieses Gespräch beenden. Auf Wiederhören.',
  it: 'Mi dispiace, per un problema tecnico devo terminare questa chiamata. Arrivederci.',
  pt: 'Desculpe, há um problema técnico e tenho de terminar esta chamada. Adeus.',
  nl: 'Het spijt me, door een technisch probleem moet ik dit gesprek beëindigen. Tot ziens.',
  sv: 'Jag är ledsen, på grund av ett tekniskt problem måste jag avsluta samtalet. Hej då.',
  da: 'Jeg beklager, på grund af et teknisk problem må jeg afslutte opkaldet. Farvel.',
  nb: 'Beklager, på grunn av et teknisk problem må jeg avslutte samtalen. Ha det.',
  pl: 'Przepraszam, z powodu problemu technicznego muszę zakończyć rozmowę. Do widzenia.',
  ja: '申し訳ございません。技術的な問題のため、お電話を終了いたします。失礼いたします。',
  zh: '很抱歉，由于技术问题，我必须结束这次通话。再见。',
  ko: '죄송합니다. 기술적인 문제로 통화를 종료해야 합니다. 안녕히 계세요.',
};

/** The same for a call that has to end while there is no model to say goodbye. */
const GOODBYES: Readonly<Record<string, string>> = {
  en: 'I am sorry, I have to end this call now. Thank you, and goodbye.',
  es: 'Lo siento, tengo que terminar la llamada ahora. Gracias y adiós.',
  fr: 'Je suis désolé, je dois terminer cet appel maintenant. Merci et au revoir.',
  de: 'Es tut mir leid, ich muss das Gespräch jetzt beenden. Vielen Dank und auf Wiederhören.',
  it: 'Mi dispiace, devo terminare la chiamata adesso. Grazie e arrivederci.',
  pt: 'Desculpe, tenho de terminar a chamada agora. Obrigado e adeus.',
  nl: 'Het spijt me, ik moet dit gesprek nu beëindigen. Bedankt en tot ziens.',
  sv: 'Jag är ledsen, jag måste avsluta samtalet nu. Tack och hej då.',
  da: 'Jeg beklager, jeg er nødt til at afslutte opkaldet nu. Tak og farvel.',
  nb: 'Beklager, jeg må avslutte samtalen nå. Takk og ha det.',
  pl: 'Przepraszam, muszę teraz zakończyć rozmowę. Dziękuję i do widzenia.',
  ja: '申し訳ございません。お電話をここで終了いたします。ありがとうございました。失礼いたします。',
  zh: '很抱歉，我现在必须结束通话。谢谢，再见。',
  ko: '죄송합니다. 지금 통화를 종료해야 합니다. 감사합니다. 안녕히 계세요.',
};

interface Sentence {
  readonly text: string;
  /** The text's, which is not always the call's. */
  readonly language: string;
}

/** `language` is a BCP 47 tag; a language without a sentence of its own gets the English one. */
export function apology(language: string): Sentence {
  return sentenceOf(APOLOGIES, language);
}

export function goodbye(language: string): Sentence {
  return sentenceOf(GOODBYES, language);
}

function sentenceOf(sentences: Readonly<Record<string, string>>, language: string): Sentence {
  const primary = language.toLowerCase().split('-')[0] ?? 'en';
  // `no` is Norwegian of either kind.
  const text = sentences[primary === 'no' ? 'nb' : primary];
  return text === undefined ? { text: sentences.en ?? '', language: 'en' } : { text, language };
}

export const PLACEHOLDER = '[not understood]';

/**
 * Is a whole utterance a goodbye? A second signal only, never a substring test: "I'll see you at 7, what name?" is none, and
 * speech models hallucinate "Bye" on silence, so both sides must have closed before anything follows from it.
 */

/** Sentences that close a conversation when they are all that is said; `_` separates the words of one expression. */
const CLOSERS = [
  ...[
    'bye',
    'bye_bye',
    'goodbye',
    'good_bye',
    'see_you',
    'see_you_soon',
    'see_you_then',
    'see_you_later',
    'take_care',
    'cheerio',
    'talk_soon',
  ],
  ...['have_a_good_one', 'good_night', 'so_long', 'farewell'],
  ...['adios', 'adiós', 'hasta_luego', 'hasta_pronto', 'chao', 'chau', 'nos_vemos'],
  ...['au_revoir', 'à_bientôt', 'salut', 'bonne_journée', 'bonne_soirée', 'bonne_fin_de_journée'],
  ...[
    'tschüss',
    'tschüs',
    'auf_wiedersehen',
    'auf_wiederhören',
    'bis_dann',
    'bis_bald',
    'ciao',
    'servus',
    'schönen_tag_noch',
    'schönen_abend_noch',
  ],
  ...['arrivederci', 'a_presto', 'buona_giornata', 'buona_serata'],
  ...[
    'tchau',
    'até_logo',
    'até_mais',
    'adeus',
    'tot_ziens',
    'doei',
    'dag',
    'hej_då',
    'ha_det',
    'do_widzenia',
    'pa_pa',
    'до_свидания',
    'пока',
    '再见',
    'さようなら',
    'バイバイ',
    '안녕히_계세요',
  ],
].map((phrase) => phrase.split('_'));

/** Words that may stand around a closer without making it something else. */
const POLITE = new Set(
  [
    'ok okay alright all right great perfect wonderful lovely sure yes yeah well so then now and you too a an have your very much day evening night afternoon weekend rest of the nice good great lovely wonderful',
    'thanks thank for help time calling call soon sir madam again to everyone on until till monday tuesday wednesday thursday friday saturday sunday tomorrow tonight',
    'gracias muchas vale bueno buen buena día dia tarde noche que tenga un una merci beaucoup bien très bonne journée à vous aussi danke vielen schön schönen tag noch abend ihnen auch grazie mille molto obrigado obrigada muito bom dia bedankt dank u wel tack så mycket takk dziękuję',
    'спасибо большое хорошо вам 好 好的 谢谢 谢谢您 那 はい ありがとうございます 失礼します 네 감사합니다',
  ].flatMap((line) => line.split(' ')),
);

/** True when the last sentence of `text` is a goodbye and nothing else. */
export function isClosing(text: string): boolean {
  const sentences = text
    .trim()
    .split(/(?<=[.!?。！？…])\s*/u)
    .filter((sentence) => /\p{L}/u.test(sentence));
  const last = sentences.at(-1);
  if (last === undefined || /[?？]\s*$/u.test(last)) return false;
  const words = last
    .toLowerCase()
    .normalize('NFC')
    .split(/[^\p{L}\p{M}']+/u)
    .filter((word) => word !== '');
  let closes = false;
  for (let at = 0; at < words.length; ) {
    const closer = longestCloser(words, at);
    if (closer > 0) {
      closes = true;
      at += closer;
    } else if (POLITE.has(words[at] ?? '')) {
      at += 1;
    } else {
      return false;
    }
  }
  return closes;
}

function longestCloser(words: readonly string[], at: number): number {
  let longest = 0;
  for (const closer of CLOSERS) {
    if (closer.length > longest && closer.every((word, offset) => words[at + offset] === word)) longest = closer.length;
  }
  return longest;
}

/** Text with something in it that was said, rather than a cough that a transcriber rendered as punctuation. */
export function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

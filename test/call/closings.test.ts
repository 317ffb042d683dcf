import { describe, expect, it } from 'vitest';
import { hasWords, isClosing } from '../../src/call/closings.ts';

describe('a goodbye', () => {
  it.each([
    'Bye.',
    'Bye bye!',
    'Thanks, bye!',
    'Thank you very much, goodbye.',
    'See you on Friday.',
    'Okay, see you then. Bye!',
    'Great, take care!',
    'Have a nice evening, bye.',
    'Perfect. Good night.',
    'Gracias, adiós.',
    'Muchas gracias, hasta luego.',
    'Merci beaucoup, au revoir !',
    'Bonne journée.',
    'Vielen Dank, auf Wiederhören.',
    'Tschüss!',
    'Grazie mille, arrivederci.',
    'Obrigado, tchau.',
    'Dank u wel, tot ziens.',
    'Tack, hej då!',
    'Dziękuję, do widzenia.',
    'Спасибо, до свидания.',
    '好的，谢谢，再见。',
    'ありがとうございます。さようなら。',
    '네, 안녕히 계세요.',
  ])('is heard in "%s"', (text) => {
    expect(isClosing(text)).toBe(true);
  });

  it.each([
    '',
    '…',
    'I’ll see you at 7, what name?',
    "I'll see you at 7, what name?",
    'We’ll take care of that.',
    "we'll take care of that",
    'Thank you.',
    'Okay.',
    'Bye the way, which day?',
    'See you on Friday?',
    'Before you say goodbye, your number please.',
    'Bye. Oh wait, what was the name?',
    'Hasta luego no tenemos mesa.',
    'Au revoir est le nom du restaurant.',
    'Die Gruppe heißt Auf Wiedersehen Bayern.',
    'Hello?',
  ])('is not heard in "%s"', (text) => {
    expect(isClosing(text)).toBe(false);
  });
});

describe('words', () => {
  it('are told from punctuation that a transcriber makes of a cough', () => {
    expect(['Ja.', '再见', '7'].map(hasWords)).toEqual([true, true, true]);
    expect(['', ' ', '…', '?!', '。'].map(hasWords)).toEqual([false, false, false, false, false]);
  });
});

const TAGS =
  'en en-GB en-US es es-MX fr fr-CA de de-AT de-CH it pt pt-BR nl da sv nb fi pl cs sk hu ro bg el tr ru uk hr sr sl et lv lt ga ar he fa hi bn ta ur th vi id ms zh zh-HK ja ko fil sw'.split(
    ' ',
  );

const inEnglish = new Intl.DisplayNames(['en'], { type: 'language', languageDisplay: 'standard' });

/** BCP 47 tags that begin with `value`, or whose language does, by its English or its own name: `germ` and `deutsch` give `de`. */
export function completeLanguage(value: string): string[] {
  const wanted = value.trim().toLowerCase();
  return TAGS.filter((tag) => namesOf(tag).some((name) => name.toLowerCase().startsWith(wanted)));
}

function namesOf(tag: string): string[] {
  const own = new Intl.DisplayNames([tag], { type: 'language', languageDisplay: 'standard' });
  return [tag, inEnglish.of(tag) ?? tag, own.of(tag) ?? tag];
}

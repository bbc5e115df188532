import { languageOf } from '#libs/pages';
import { DE } from './de.js';
import { EN, type Texts } from './en.js';

/** English, for where nobody's language is known. */
export const ENGLISH: Texts = { ...EN, language: 'en' };
const CATALOGUES = { en: ENGLISH, de: DE } as const;

/** The sentences in the language that a browser asks for. */
export function textsFor(acceptLanguage: string | undefined): Texts {
  return CATALOGUES[languageOf(acceptLanguage)];
}

/** Says how long to wait. */
export function waitSentence(texts: Texts, seconds: number): string {
  return texts.wait(Math.ceil(seconds / 60));
}

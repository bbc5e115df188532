export { Html, html } from './html.js';
export { languageOf, type Language } from './language.js';
export { renderPage, sendPage, type Page } from './page.js';

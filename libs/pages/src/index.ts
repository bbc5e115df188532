export { Html, html } from './html.js';
export { renderPage, sendPage, type Page } from './page.js';

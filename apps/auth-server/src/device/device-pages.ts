import { html, type Page } from '#libs/pages';
import { hidden, problemSummary } from '../interactions/form-parts.js';
import { messagePage } from '../interactions/pages.js';
import type { Texts } from '../texts/en.js';

/** A form of the device flow: where it goes, its anti-forgery token, and its language. */
export interface DeviceForm {
  readonly action: string;
  readonly xsrf: string;
  readonly texts: Texts;
}

/** What went wrong with a code that was entered. */
export interface CodeProblem {
  readonly status: number;
  readonly message: string;
}

/** Asks for the code that an agent on another device shows. */
export function codePage({ action, xsrf, texts }: DeviceForm, code: string, problem?: CodeProblem): Page {
  const described = problem === undefined ? html` autofocus` : html` aria-invalid="true" aria-describedby="problem"`;
  const words = texts.device;
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${words.title} – Wharf`,
    body: html`<h1>${words.heading}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      <p>${words.what}</p>
      <form method="post" action="${action}" novalidate>
        ${hidden('xsrf', xsrf)}
        <label for="user_code">${words.code}</label>
        <input
          id="user_code"
          name="user_code"
          type="text"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          maxlength="32"
          required
          value="${code}"
          ${described}
        />
        <div class="actions"><button class="main">${words.submit}</button></div>
      </form>`,
  };
}

/** Asks whether the code is the one that the person's own device shows, before anybody signs in. */
export function confirmPage({ action, xsrf, texts }: DeviceForm, code: string, clientName: string | undefined): Page {
  const { device: words, consent } = texts;
  return {
    status: 200,
    language: texts.language,
    title: `${words.checkTitle} – Wharf`,
    body: html`<h1>${words.check}</h1>
      <dl>
        <dt>${consent.name}</dt>
        <dd><bdi>${clientName ?? consent.noName}</bdi></dd>
        <dt>${words.exactly}</dt>
        <dd><b>${code}</b></dd>
      </dl>
      <p class="warning">${words.beware}</p>
      <form method="post" action="${action}">
        ${hidden('xsrf', xsrf)} ${hidden('user_code', code)}
        <div class="actions">
          <button class="main" name="confirm" value="yes">${words.mine}</button>
          <button name="abort" value="yes">${words.stop}</button>
        </div>
      </form>`,
  };
}

/** Said when the device has its access. */
export function connectedPage(texts: Texts): Page {
  return messagePage(200, texts.device.connected, [texts.device.connectedNext], texts);
}

/** Said when the person, or an error, has stopped the connection. */
export function stoppedPage(texts: Texts): Page {
  return messagePage(200, texts.device.stopped, [texts.device.stoppedNext], texts);
}

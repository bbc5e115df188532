import { html, type Html, type Page } from '#libs/pages';
import { messagePage } from '../interactions/pages.js';

/** A form of the device flow: where it goes, and its anti-forgery token. */
export interface DeviceForm {
  readonly action: string;
  readonly xsrf: string;
}

/** What went wrong with a code that was entered. */
export interface CodeProblem {
  readonly status: number;
  readonly message: string;
}

/** Asks for the code that an agent on another device shows. */
export function codePage(form: DeviceForm, code: string, problem?: CodeProblem): Page {
  const described = problem === undefined ? html` autofocus` : html` aria-invalid="true" aria-describedby="problem"`;
  return {
    status: problem?.status ?? 200,
    title: `${problem === undefined ? '' : 'Problem: '}Connect a device – Wharf`,
    body: html`<h1>Connect an app on another device</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      <p>Enter the code that the app shows you. You decide what it may do after that.</p>
      <form method="post" action="${form.action}" novalidate>
        ${hidden('xsrf', form.xsrf)}
        <label for="user_code">Code</label>
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
        <div class="actions"><button class="main">Continue</button></div>
      </form>`,
  };
}

/** Asks whether the code is the one that the person's own device shows, before anybody signs in. */
export function confirmPage(form: DeviceForm, code: string, clientName: string | undefined): Page {
  return {
    status: 200,
    title: 'Check the code – Wharf',
    body: html`<h1>Is this your device?</h1>
      <dl>
        <dt>The app calls itself (nobody has checked this name)</dt>
        <dd>${clientName ?? 'It gives no name'}</dd>
        <dt>Its device must show exactly this code</dt>
        <dd><b>${code}</b></dd>
      </dl>
      <p class="note">
        Go on only if you have just started the connection yourself and see the code on your own device. Whoever sent
        you this code or link by message or told you it on the phone would get your access.
      </p>
      <form method="post" action="${form.action}">
        ${hidden('xsrf', form.xsrf)} ${hidden('user_code', code)}
        <div class="actions">
          <button class="main" name="confirm" value="yes">It is mine: continue</button>
          <button name="abort" value="yes">Stop</button>
        </div>
      </form>`,
  };
}

/** Said when the device has its access. */
export const CONNECTED = messagePage(200, 'Your device is connected', [
  'Go back to it; the app goes on by itself in a few seconds. You can close this page.',
]);

/** Said when the person, or an error, has stopped the connection. */
export const STOPPED = messagePage(200, 'The connection was stopped', [
  'The app gets no access. To connect after all, start again on the device.',
]);

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

function problemSummary(message: string): Html {
  return html`<div class="problem" id="problem" role="alert" tabindex="-1" autofocus>${message}</div>`;
}

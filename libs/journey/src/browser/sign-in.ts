import { CookieJar } from './cookie-jar.js';
import { formsOf, textOf, type FormField, type HtmlForm } from './html-forms.js';

const PAGES_MAX = 20;
const ANSWER_MS = 30_000;
const REFUSING = /refuse|deny|decline|cancel|abort|reject|\bno\b|another|different/i;
const DENYING = /deny|refuse/i;
const PERSON_FIELD = /email|login|user(?!_code)/i;

/** A person with a browser. */
export interface Person {
  readonly email: string;
  readonly password: string;
}

/**
 * Does what a person does with an authorization URL: follows redirects, signs in, answers the consent, until the
 * browser is sent to the client's redirect URI, which is returned and not opened.
 * @throws Error with the page's text where the sign-in does not get further
 */
export async function signInAsPerson(
  authorizationUrl: URL,
  person: Person,
  answer: 'allow' | 'deny' = 'allow',
): Promise<URL> {
  const redirectUri = authorizationUrl.searchParams.get('redirect_uri');
  if (redirectUri === null) throw new Error('The authorization URL has no redirect_uri.');
  const end = await walk(authorizationUrl, person, answer, (location) => location.href.startsWith(redirectUri));
  if (end.kind === 'page') throw new Error(`The sign-in stopped at ${end.text}`);
  return end.location;
}

/**
 * Does what a person does with the URL that a device shows: confirms the code, signs in, allows it.
 * @returns the text of the last page
 */
export async function allowDevice(urlWithCode: URL, person: Person): Promise<string> {
  const end = await walk(urlWithCode, person, 'allow', () => false);
  if (end.kind === 'page' && end.status === 200) return end.text;
  throw new Error(`The device was not allowed: ${end.kind === 'page' ? end.text : end.location.href}`);
}

/** Does what a person does who did not ask for a device's code: confirms it, signs in, and refuses. */
export async function refuseDevice(urlWithCode: URL, person: Person): Promise<void> {
  await walk(urlWithCode, person, 'deny', () => false);
}

/**
 * Does what a person does with a link to one of their connections: signs in, presses the button, goes to the upstream
 * and comes back.
 * @throws Error with the page's text where they do not come back logged in
 */
export async function logInAtUpstream(connectUrl: URL, person: Person): Promise<void> {
  const end = await walk(connectUrl, person, 'allow', (location) => location.searchParams.get('done') === 'connected');
  if (end.kind === 'page') throw new Error(`The login stopped at ${end.text}`);
}

type End =
  | { readonly kind: 'redirect'; readonly location: URL }
  | { readonly kind: 'page'; readonly status: number; readonly text: string };

/** From page to page, until a redirect that is the end or a page that leads nowhere. */
async function walk(
  start: URL,
  person: Person,
  answer: 'allow' | 'deny',
  isEnd: (location: URL) => boolean,
): Promise<End> {
  const jar = new CookieJar();
  let request = new Request(start);
  let signedInWith: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const url = new URL(request.url);
    const response = await open(request, jar);
    const location = response.headers.get('location') ?? refreshOf(response);
    if (location !== null) {
      const next = new URL(location, url);
      if (isEnd(next)) return { kind: 'redirect', location: next };
      request = new Request(next);
      continue;
    }
    const html = await response.text();
    const form = nextForm(formsOf(url, html));
    if (form === undefined) {
      const text = `${url.pathname} (${response.status}): ${textOf(html).slice(0, 300)}`;
      return { kind: 'page', status: response.status, text };
    }
    if (asksPassword(form)) {
      if (signedInWith === form.action.pathname)
        throw new Error(`The sign-in was refused: ${textOf(html).slice(0, 300)}`);
      signedInWith = form.action.pathname;
    }
    const button = (answer === 'deny' && !asksPassword(form) ? denyingButton(form) : undefined) ?? agreeingButton(form);
    request = submit(form, url, person, button);
  }
  throw new Error(`The sign-in did not end within ${PAGES_MAX} pages.`);
}

/** Where a page that leads on by itself leads. */
function refreshOf(response: Response): string | null {
  return /^\d+; *url=(.+)$/i.exec(response.headers.get('refresh') ?? '')?.[1] ?? null;
}

async function open(request: Request, jar: CookieJar): Promise<Response> {
  const url = new URL(request.url);
  const cookies = jar.headerFor(url);
  if (cookies !== undefined) request.headers.set('cookie', cookies);
  request.headers.set('accept', 'text/html');
  const response = await fetch(request, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
  jar.take(url, response);
  return response;
}

function asksPassword(form: HtmlForm): boolean {
  return form.fields.some((field) => field.type === 'password');
}

/** The form that leads on: the one that asks for a password, else the first with a button that does not refuse. */
function nextForm(forms: readonly HtmlForm[]): HtmlForm | undefined {
  return (
    forms.find(asksPassword) ?? forms.find((form) => form.buttons.length === 0 || agreeingButton(form) !== undefined)
  );
}

function agreeingButton(form: HtmlForm): FormField | undefined {
  return form.buttons.find((button) => !REFUSING.test(`${button.name} ${button.value} ${button.label}`));
}

function denyingButton(form: HtmlForm): FormField | undefined {
  return form.buttons.find((button) => DENYING.test(button.value));
}

function submit(form: HtmlForm, page: URL, person: Person, button: FormField | undefined): Request {
  const sent = new URLSearchParams();
  for (const field of form.fields) {
    const unchecked = (field.type === 'checkbox' || field.type === 'radio') && !field.checked;
    if (field.name !== '' && !unchecked) sent.append(field.name, valueOf(field, person));
  }
  if (button !== undefined && button.name !== '') sent.append(button.name, button.value);
  if (form.method === 'GET') {
    const action = new URL(form.action);
    action.search = sent.toString();
    return new Request(action);
  }
  return new Request(form.action, {
    method: 'POST',
    body: sent,
    headers: { origin: page.origin, referer: page.href, 'sec-fetch-site': 'same-origin' },
  });
}

function valueOf(field: FormField, person: Person): string {
  if (field.type === 'password') return person.password;
  if (field.type === 'email' || (field.type === 'text' && PERSON_FIELD.test(field.name))) return person.email;
  return field.value;
}

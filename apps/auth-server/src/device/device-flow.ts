import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { showPage } from '../provider/browsers/show-page.js';
import type { Texts } from '../texts/en.js';
import { textsFor } from '../texts/texts.js';
import {
  codePage,
  confirmPage,
  connectedPage,
  stoppedPage,
  type CodeProblem,
  type DeviceForm,
} from './device-pages.js';

/** RFC 8628 §3.4. */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
/** How long a person has to enter the code and to decide. */
export const DEVICE_CODE_SECONDS = 600;
/** Paths of the device flow, below the issuer's. */
export const DEVICE_ROUTES = { device_authorization: '/device/auth', code_verification: '/device' } as const;
/** The query parameter that fills the code in; it is never taken for having been entered. */
export const PREFILLED = 'prefilled';

const SHOWN_MAX = 32;
/** Where a context's state says that a code was entered which is none. */
const WRONG_CODE = 'wrongDeviceCode';

/** The provider's feature for agents without a browser (RFC 8628), with pages of ours. */
export function deviceFlow(): NonNullable<NonNullable<Configuration['features']>['deviceFlow']> {
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    // What a device says of itself proves nothing, so nothing is kept of it.
    deviceInfo: () => ({}),
    userCodeInputSource: (ctx, _form, _out, error) => showPage(ctx, inputPage(ctx, error)),
    userCodeConfirmSource: (ctx, _form, client, _info, code) =>
      showPage(ctx, confirmPage(formOf(ctx), code, client.clientName)),
    successSource: (ctx) => showPage(ctx, connectedPage(textsOf(ctx))),
  };
}

/** Whether a request entered a code that is none, for counting guesses. */
export function enteredWrongCode(ctx: KoaContextWithOIDC): boolean {
  return ctx.state[WRONG_CODE] === true;
}

function inputPage(ctx: KoaContextWithOIDC, error: Error | undefined) {
  if (error === undefined) return codePage(formOf(ctx), String(ctx.query[PREFILLED] ?? '').slice(0, SHOWN_MAX));
  if (error.name === 'AbortedError') return stoppedPage(textsOf(ctx));
  if (error.name === 'NotFoundError') ctx.state[WRONG_CODE] = true;
  const entered: unknown = Reflect.get(error, 'userCode');
  const shown = typeof entered === 'string' ? entered.slice(0, SHOWN_MAX) : '';
  return codePage(formOf(ctx), shown, problemOf(error, textsOf(ctx)));
}

function problemOf({ name }: Error, { device: { problems } }: Texts): CodeProblem {
  const { other, ...known } = problems;
  return { status: 400, message: Object.hasOwn(known, name) ? known[name as keyof typeof known] : other }; // it is a key
}

function textsOf(ctx: KoaContextWithOIDC): Texts {
  return textsFor(ctx.get('accept-language'));
}

function formOf(ctx: KoaContextWithOIDC): DeviceForm {
  const state: unknown = ctx.oidc.session?.state;
  const secret: unknown = typeof state === 'object' && state !== null ? Reflect.get(state, 'secret') : undefined;
  return {
    action: ctx.oidc.urlFor('code_verification'),
    xsrf: typeof secret === 'string' ? secret : '',
    texts: textsOf(ctx),
  };
}

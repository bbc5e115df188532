import { randomUUID } from 'node:crypto';
import { ProtocolError, type Result } from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { LoginWanted } from '#libs/protocol';
import { mayAsk } from '../bridge/eras.js';
import type { Asker } from '../knowledge/knowledge-door.js';
import type { PeerCaller } from '../peer/caller-link.js';
import type { ModernClient } from '../peer/modern-client.js';
import type { PeerRequest } from '../peer/peer.js';
import { MISSING_CAPABILITY } from '../peer/results.js';
import { RemoteFailure } from '../upstream/remote-failure.js';
import { LoginNeeded } from '../egress/egress-stream.js';
import { errorResult } from '../results/results.js';
import type { CallStates } from './call-states.js';

/** What was asked, by whom, and by which exchange of which server. */
export interface LoginAsk<Caller extends PeerCaller = PeerCaller> {
  readonly asker: Asker;
  readonly caller: Caller;
  readonly request: Pick<PeerRequest, 'method' | 'params'>;
}

/** "URL elicitation required" (MCP 2025-11-25, client/elicitation); the 2026 era has no such error. */
const URL_REQUIRED = -32_042;
/** How long an answer to the question may take. */
const ANSWER_SECONDS = 600;
const KEY = 'login';
/** What our states begin with; any other is for whoever gave it. */
const OURS = 'wharf-login.';
const NOBODY =
  'This acts with the login of the person who calls, and no person does: API keys and machine clients have none. Nothing was sent. Sign in at this URL as a person instead.';

/** A login, and the page on which a person logs in. */
type LoginPage = LoginWanted & { readonly url: string };

/**
 * Has people log in at an upstream where their call needs it: by URL elicitation in either era, where their client offers
 * it, else by a sentence with the link. The link names nobody and holds nothing: whoever opens it acts for themselves.
 */
export class Logins {
  constructor(private readonly states: Pick<CallStates, 'seal' | 'redeem'>) {}

  /** Makes a request, or asks for the login that it needs. @throws ProtocolError; what `run` throws */
  async around<Caller extends PeerCaller>(
    ask: LoginAsk<Caller>,
    run: (caller: Caller) => Promise<Result>,
  ): Promise<Result> {
    const { caller } = ask;
    const { client } = caller;
    const answers = client?.requestState?.startsWith(OURS) === true;
    if (client !== undefined && answers) {
      await this.states.redeem(ask.asker, ask.request, (client.requestState ?? '').slice(OURS.length));
      if (isDeclined(client)) return refused(ask, 'You did not log in, and nothing was sent.');
    }
    try {
      return await run(answers ? { ...caller, client: withoutAnswers(client) } : caller);
    } catch (error) {
      const login = loginIn(error);
      if (login === undefined) throw error;
      const { url } = login;
      if (url === undefined) return refused(ask, sentence(login));
      const page = { ...login, url };
      return client === undefined ? askLegacy(ask, page) : this.#askModern(ask, client, page);
    }
  }

  /** As `around`, for what is not a tool: a list goes on without an upstream at which its caller is not logged in. */
  async forward<Caller extends PeerCaller>(
    ask: LoginAsk<Caller>,
    run: (caller: Caller) => Promise<Result>,
  ): Promise<Result> {
    return mayAsk(ask.request.method) ? this.around(ask, run) : run(ask.caller).catch(goOnWithoutLogin);
  }

  /** Where no state can be had, the person is told in words: the call can be made again without one. */
  async #askModern(ask: LoginAsk, { capabilities }: ModernClient, login: LoginPage): Promise<Result> {
    if (capabilities.elicitation?.url === undefined) {
      const requiredCapabilities = { elicitation: { url: {} } };
      throw new ProtocolError(MISSING_CAPABILITY, sentence(login), { requiredCapabilities });
    }
    const state = await this.states.seal(ask.asker, ask.request, ANSWER_SECONDS);
    if (state === undefined) return refused(ask, sentence(login));
    const params = { mode: 'url', message: invitation(login), url: login.url, elicitationId: randomUUID() };
    return {
      resultType: 'input_required',
      inputRequests: { [KEY]: { method: 'elicitation/create', params } },
      requestState: `${OURS}${state}`,
    };
  }
}

/** The login that a failed request needs, wherever in its chain of causes it stands. */
export function loginIn(error: unknown): LoginWanted | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 6; each = each.cause, depth += 1)
    if (each instanceof LoginNeeded) return each.login;
  return undefined;
}

/** @throws RemoteFailure in place of a login that is needed */
function goOnWithoutLogin(error: unknown): never {
  const login = loginIn(error);
  throw login === undefined ? error : new RemoteFailure(sentence(login), 'you are not logged in there');
}

/** What nobody can be asked about, said in a sentence. */
function refused({ request }: LoginAsk, message: string): Result {
  if (request.method === 'tools/call') return errorResult(message);
  throw new ProtocolError(ERROR_CATALOGUE.internal.jsonRpc, message);
}

function askLegacy(ask: LoginAsk, login: LoginPage): Result {
  if (ask.caller.link?.capabilities.elicitation?.url !== undefined) {
    const elicitation = { mode: 'url', elicitationId: randomUUID(), url: login.url, message: invitation(login) };
    throw new ProtocolError(URL_REQUIRED, sentence(login), { elicitations: [elicitation] });
  }
  return refused(ask, sentence(login));
}

/** The client as others see it: what it answered was for us. */
function withoutAnswers(client: ModernClient | undefined): ModernClient | undefined {
  return client && { ...client, inputResponses: {}, requestState: undefined };
}

/** A person who said no is not asked again by the same call. */
function isDeclined({ inputResponses }: ModernClient): boolean {
  const answer = inputResponses[KEY];
  return typeof answer === 'object' && answer !== null && 'action' in answer && answer.action !== 'accept';
}

function invitation({ title, more }: LoginWanted): string {
  if (more !== undefined)
    return `Log in again at ${title} and allow ${more.join(', ')} there, so that this can act for you.`;
  return `Log in at ${title}, so that this can act for you there.`;
}

function sentence({ title, url, more }: LoginWanted): string {
  if (url === undefined) return NOBODY;
  if (more !== undefined)
    return `${title} refused this: it wants you to allow ${more.join(', ')} there. Nothing was done. Open ${url} to log in again, then try again.`;
  return `You are not logged in at ${title}, and nothing was sent. Open ${url} to log in, then try again.`;
}

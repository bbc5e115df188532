import { sendPage } from '#libs/pages';
import { seeOther, type OwnPage, type PersonVisit } from '../account-pages/person-door.js';
import { forgedPage } from '../interactions/pages.js';
import type { BrowserSessions } from '../provider/browsers/browser-sessions.js';
import { AGENTS_MAX } from './held-agents.js';
import type { OwnGrants } from './own-grants.js';
import { sessionsPage } from './session-views.js';

const GRANT_ID = /^[0-9a-f]{64}$/;

/** `{issuer}/sessions`: a person sees which agents act for them at which tenants, and ends what they like. */
export class SessionsPage implements OwnPage {
  constructor(
    private readonly provider: { readonly sessions: BrowserSessions },
    private readonly own: OwnGrants,
  ) {}

  /** Shows what agents hold. */
  async show({ request, response, account, texts, csrf }: PersonVisit): Promise<void> {
    const { agents: grants } = await this.own.list({ accountId: account.id }, { limit: AGENTS_MAX });
    const securityUrl = `${request.baseUrl}/account`;
    sendPage(response, sessionsPage({ email: account.email, grants, csrf, texts, securityUrl }));
  }

  /** Ends one agent's access, or signs the person out. */
  async act({ request, response, account, texts }: PersonVisit, form: URLSearchParams): Promise<void> {
    const grant = form.get('grant') ?? '';
    if (form.get('action') === 'sign-out') await this.provider.sessions.close(request, response);
    else if (form.get('action') === 'revoke' && GRANT_ID.test(grant)) {
      // One that has ended meanwhile is as it was wanted.
      await this.own.revoke({ accountId: account.id }, grant, request.address);
    } else return sendPage(response, forgedPage(texts, texts.messages.openAnew));
    seeOther(response, `${request.baseUrl}/sessions`);
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { setTimeout as pause } from 'node:timers/promises';
import type { Consents } from '../consents/consents.js';
import type { EndedInteraction, EndedInteractions } from './ended-interactions.js';
import type { ToldGrants } from '../consents/told-grants.js';
import type { PendingInteraction } from './pending-interaction.js';

const DECIDED_POLLS = 7;
const DECIDED_POLL_MS = 20;

/** What the door remembers. */
export interface InteractionDoorParts {
  readonly consents: Consents;
  readonly toldGrants: ToldGrants;
  readonly ended: Pick<EndedInteractions, 'find' | 'decides'>;
}

/** The only way from our pages to the provider: opens what waits in this browser and says how it ended. */
export class InteractionDoor {
  constructor(
    private readonly provider: Provider,
    private readonly parts: InteractionDoorParts,
  ) {}

  /** The interaction that this browser's cookie belongs to; undefined when it has ended or is another's. */
  async find(request: IncomingMessage, response: ServerResponse): Promise<PendingInteraction | undefined> {
    try {
      const details = await this.provider.interactionDetails(request, response);
      const params = textsOf(details.params);
      const client = await this.provider.Client.find(params['client_id'] ?? '');
      const step = details.prompt.name;
      if (client === undefined || (step !== 'login' && step !== 'consent')) return undefined;
      return {
        uid: details.uid,
        step,
        clientId: client.clientId,
        clientName: client.clientName,
        redirectUri: params['redirect_uri'],
        resource: params['resource'] ?? '',
        codeChallenge: params['code_challenge'],
        scopes: (params['scope'] ?? '').split(' ').filter((scope) => scope !== ''),
        accountId: details.session?.accountId,
      };
    } catch (error) {
      if (error instanceof errors.SessionNotFound || error instanceof errors.InvalidClient) return undefined;
      throw error;
    }
  }

  /** As `ended`, where it failed because it ended meanwhile. @throws any other failure as it is */
  async endedMeanwhile(uid: string, error: unknown): Promise<EndedInteraction | undefined> {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    return this.ended(uid);
  }

  /** Where an interaction ended a moment ago. */
  async ended(uid: string): Promise<EndedInteraction | undefined> {
    return this.parts.ended.find(uid);
  }

  /** Goes on as the person who signed in, by these methods (RFC 8176). */
  async signIn(
    request: IncomingMessage,
    response: ServerResponse,
    accountId: string,
    methods: readonly string[],
  ): Promise<void> {
    await this.#leaveToOne(request, response, accountId);
    await this.provider.interactionFinished(request, response, { login: { accountId, amr: [...methods] } });
  }

  /** Who else is signed in at this browser, from another tab, is signed out: one browser is one person. */
  async #leaveToOne(request: IncomingMessage, response: ServerResponse, accountId: string): Promise<void> {
    const { Session } = this.provider;
    const session = await Session.get(this.provider.createContext(request, response));
    if (session.accountId === undefined || session.accountId === accountId) return;
    const interaction = await this.provider.interactionDetails(request, response);
    if (interaction.session !== undefined) {
      // With it, the interaction would go on in the session it began in and in no other.
      Reflect.deleteProperty(interaction.session, 'uid');
      await interaction.save(interaction.exp - Math.floor(Date.now() / 1_000));
    }
    await session.destroy();
  }

  /** Whether this request is the one that decides about an interaction; of several at once one is. */
  async decides(uid: string): Promise<boolean> {
    return this.parts.ended.decides(uid);
  }

  /** Goes where another request of this browser, which decides at this moment, is sent. @throws SessionNotFound when none has */
  async follow(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (let asked = 0; asked < DECIDED_POLLS; asked += 1) {
      const { result, returnTo } = await this.provider.interactionDetails(request, response);
      if (result?.consent !== undefined) {
        response.writeHead(303, { location: returnTo, 'cache-control': 'no-store' }).end();
        return;
      }
      await pause(DECIDED_POLL_MS * 2 ** asked);
    }
    throw new errors.SessionNotFound('nobody has decided');
  }

  /** Remembers the consent and goes back to the client with a code. */
  async allow(
    request: IncomingMessage,
    response: ServerResponse,
    allowed: PendingInteraction & { readonly accountId: string; readonly told: readonly string[] },
  ): Promise<void> {
    const { accountId, clientId, resource, scopes, told } = allowed;
    const key = { accountId, clientId, resource };
    const before = await this.parts.consents.find(key);
    await this.parts.consents.remember(key, { scopes: [...new Set([...before.scopes, ...scopes])], told });
    const grantId = await saveGrant(this.provider, key, scopes);
    await this.parts.toldGrants.bind(grantId, told);
    // Who allowed before they signed in elsewhere is signed in by this too.
    const login = allowed.step === 'login' ? { login: { accountId } } : {};
    if (allowed.step === 'login') await this.#leaveToOne(request, response, accountId);
    await this.provider.interactionFinished(request, response, { ...login, consent: { grantId } });
  }

  /** Goes back to the client with `access_denied`. */
  async deny(request: IncomingMessage, response: ServerResponse, description: string): Promise<void> {
    const result = { error: 'access_denied', error_description: description };
    await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  /**
   * Ends the code that a device waits with, as one that was denied; the person's page stays open.
   * @returns whether it was this that ended it
   */
  async endDevice(request: IncomingMessage, response: ServerResponse, description: string): Promise<boolean> {
    const { deviceCode } = await this.provider.interactionDetails(request, response);
    const code = await this.provider.DeviceCode.find(deviceCode ?? '', { ignoreExpiration: true });
    if (code === undefined || code.isExpired || code.error !== undefined || code.accountId !== undefined) return false;
    Object.assign(code, { error: 'access_denied', errorDescription: description });
    await code.save();
    return true;
  }

  /**
   * Ends the browser's session, and with it the interaction.
   * @returns the parameters with which the same authorization request begins anew; none for an agent on another device
   */
  async signOut(request: IncomingMessage, response: ServerResponse): Promise<URLSearchParams | undefined> {
    const details = await this.provider.interactionDetails(request, response);
    const session = await this.provider.Session.findByUid(details.session?.uid ?? '');
    await session?.destroy();
    await details.destroy();
    if (details.params['redirect_uri'] === undefined) return undefined;
    const given = Object.entries(details.params).filter(([name, value]) => {
      return value !== undefined && value !== null && name !== 'request' && name !== 'request_uri';
    });
    return new URLSearchParams(textsOf(Object.fromEntries(given)));
  }
}

/** Stores what tokens will hang on, for one person, client and resource; returns its id. */
export async function saveGrant(
  provider: Provider,
  key: { readonly accountId: string; readonly clientId: string; readonly resource: string },
  scopes: readonly string[],
): Promise<string> {
  const grant = new provider.Grant({ accountId: key.accountId, clientId: key.clientId });
  const ofIdentity = scopes.filter((scope) => scope === 'openid' || scope === 'offline_access');
  grant.addResourceScope(
    key.resource,
    scopes.filter((scope) => scope !== 'openid' && scope !== 'offline_access').join(' '),
  );
  if (ofIdentity.length > 0) grant.addOIDCScope(ofIdentity.join(' '));
  return grant.save();
}

function textsOf(params: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      Array.isArray(value) ? String(value[0]) : String(value ?? ''),
    ]),
  );
}

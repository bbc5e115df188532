import { isIP } from 'node:net';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { z } from 'zod';
import type { Database } from '#libs/database';
import type { Account } from '../accounts/accounts.js';
import type { Noting } from './noting.js';
import type { PasskeyChallenges } from './passkey-challenges.js';

const PASSKEYS_MAX = 20;
/** As credentials are called in JSON (WebAuthn Level 3 §5.1): base64url. */
const text = z
  .string()
  .max(12_000)
  .regex(/^[\w-]+$/);
/** What the library is given; everything else about a response is its to check. */
const responseSchema = z.looseObject({
  id: text,
  rawId: text,
  type: z.literal('public-key'),
  response: z.record(z.string(), z.unknown()),
  clientExtensionResults: z.record(z.string(), z.unknown()),
});
const transportSchema = z.array(z.enum(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])).catch([]);

/** A passkey as its person sees it. */
export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

interface PasskeyRow extends Passkey {
  readonly accountId: string;
  readonly publicKey: Buffer;
  readonly counter: string;
  readonly transports: string[];
}

const COLUMNS = `credential_id as id, account_id as "accountId", name, public_key as "publicKey", counter, transports,
  created_at as "createdAt", last_used_at as "lastUsedAt"`;

/** Passkeys (WebAuthn): each proves possession and, by PIN or biometry, the person, so it is a second factor or both at once. */
export class Passkeys {
  readonly #origin: string;
  readonly #domain: string;

  constructor(
    private readonly database: Database,
    private readonly challenges: PasskeyChallenges,
    issuer: URL,
  ) {
    this.#origin = issuer.origin;
    this.#domain = issuer.hostname;
  }

  /** Browsers know passkeys for names only, never for addresses. */
  get offered(): boolean {
    return isIP(this.#domain.replaceAll(/[[\]]/g, '')) === 0;
  }

  /** A person's passkeys, oldest first. */
  async list(accountId: string): Promise<readonly Passkey[]> {
    return this.#rows('account_id', accountId);
  }

  /** What a browser needs to make one, as JSON; undefined where there are enough. */
  async registration({ id, email }: Account, bound: string): Promise<string | undefined> {
    const existing = await this.#rows('account_id', id);
    if (!this.offered || existing.length >= PASSKEYS_MAX) return undefined;
    const options = await generateRegistrationOptions({
      rpName: 'Wharf',
      rpID: this.#domain,
      userID: new TextEncoder().encode(id),
      userName: email,
      challenge: new TextEncoder().encode(this.challenges.issue(bound)),
      attestationType: 'none',
      excludeCredentials: existing.map((passkey) => ({ id: passkey.id })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    return JSON.stringify(options);
  }

  /** Keeps the passkey that a browser made; false where anything about it is not as it was asked for. */
  async register({ id }: Account, name: string, given: string, bound: string, note?: Noting): Promise<boolean> {
    const response = parse(given);
    if (response === undefined || (await this.#rows('account_id', id)).length >= PASSKEYS_MAX) return false;
    const verified = await verifyRegistrationResponse({
      ...this.#expected(bound),
      response: response as unknown as RegistrationResponseJSON, // its schema is above; the library checks the rest
    }).catch(() => undefined);
    if (verified?.verified !== true) return false;
    const { credential } = verified.registrationInfo;
    return this.database.asService(async (tx) => {
      const rows: unknown[] = await tx.query(
        `insert into passkeys (credential_id, account_id, name, public_key, counter, transports)
         values ($1, $2, $3, $4, $5, $6) on conflict (credential_id) do nothing returning 1`,
        [
          credential.id,
          id,
          name,
          Buffer.from(credential.publicKey),
          credential.counter,
          transportSchema.parse(response.response['transports']),
        ],
      );
      if (rows.length === 1) await note?.(tx);
      return rows.length === 1;
    });
  }

  /** What a browser needs to use one, as JSON: one of a person's, or whichever it knows for this site. */
  async authentication(bound: string, accountId?: string): Promise<string | undefined> {
    if (!this.offered) return undefined;
    const passkeys = accountId === undefined ? [] : await this.#rows('account_id', accountId);
    if (accountId !== undefined && passkeys.length === 0) return undefined;
    const options = await generateAuthenticationOptions({
      rpID: this.#domain,
      challenge: new TextEncoder().encode(this.challenges.issue(bound)),
      userVerification: 'required',
      allowCredentials: passkeys.map(({ id, transports }) => ({ id, transports: transportSchema.parse(transports) })),
    });
    return JSON.stringify(options);
  }

  /** Whose passkey answered; undefined where none did, or its counter shows a copy. */
  async accept(given: string, bound: string): Promise<string | undefined> {
    const response = parse(given);
    const row = response === undefined ? undefined : (await this.#rows('credential_id', response.id))[0];
    if (response === undefined || row === undefined) return undefined;
    const credential: WebAuthnCredential = {
      id: row.id,
      publicKey: Uint8Array.from(row.publicKey),
      counter: Number(row.counter),
    };
    const verified = await verifyAuthenticationResponse({
      ...this.#expected(bound),
      response: response as unknown as AuthenticationResponseJSON, // its schema is above; the library checks the rest
      credential,
    }).catch(() => undefined);
    if (verified?.verified !== true) return undefined;
    const [, count] = await this.database.asService((tx) =>
      tx.query(
        `update passkeys set counter = $2, last_used_at = now()
         where credential_id = $1 and (counter < $2 or (counter = 0 and $2 = 0))`,
        [row.id, verified.authenticationInfo.newCounter],
      ),
    );
    return count === 1 ? row.accountId : undefined;
  }

  /** Forgets one of a person's passkeys; false where it is none of theirs. */
  async remove(accountId: string, id: string, note?: Noting): Promise<boolean> {
    return this.database.asService(async (tx) => {
      const sql = `delete from passkeys where account_id = $1 and credential_id = $2`;
      const [, count]: [unknown[], number] = await tx.query(sql, [accountId, id]);
      if (count > 0) await note?.(tx);
      return count > 0;
    });
  }

  #expected(bound: string) {
    return {
      expectedChallenge: (challenge: string) => this.challenges.accept(challenge, bound),
      expectedOrigin: this.#origin,
      expectedRPID: this.#domain,
      requireUserVerification: true,
    };
  }

  async #rows(column: 'account_id' | 'credential_id', value: string): Promise<PasskeyRow[]> {
    return this.database.asService((tx) =>
      tx.query(`select ${COLUMNS} from passkeys where ${column} = $1 order by created_at, credential_id`, [value]),
    );
  }
}

function parse(given: string): z.infer<typeof responseSchema> | undefined {
  try {
    return responseSchema.parse(JSON.parse(given));
  } catch {
    return undefined;
  }
}

import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { claimMails, forgetMail, postponeMail, type ClaimedMail } from '#libs/mail';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import type { MailTransport } from './mail-transport.js';

const BATCH = 10;
const LEASE_SECONDS = 5 * 60;
const POLL_MS = 5_000;
const ATTEMPTS_MAX = 12;
const FIRST_RETRY_SECONDS = 5;
const RETRY_SECONDS_MAX = 10 * 60;

/**
 * Sends what the mail outbox holds. It needs no queue: a mail is claimed for five minutes, sent outside the
 * transaction, and deleted; one that fails is tried again after 5 s, 10 s, 20 s … 10 min, until its link is worthless.
 */
export class MailRelay {
  readonly #rounds = new Rounds({
    everyMs: POLL_MS,
    round: () => this.relay(),
    onFailed: (error) => this.logger.warn({ err: error }, 'the mail outbox cannot be read'),
  });

  constructor(
    private readonly database: Database,
    private readonly masterKey: Secret,
    private readonly transport: MailTransport,
    private readonly logger: Logger,
  ) {}

  /** Begins: sends at every ring and every five seconds. */
  start(): void {
    this.#rounds.start();
  }

  /** Says that the outbox may have new mails. */
  ring(): void {
    this.#rounds.ring();
  }

  /** Ends after the mail in hand; the others of its batch are due again when their lease is over. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
    this.transport.close();
  }

  /** Sends every mail that is due; returns how many were claimed. */
  async relay(): Promise<number> {
    let claimed = 0;
    while (!this.#rounds.signal.aborted) {
      const lease = { max: BATCH, leaseSeconds: LEASE_SECONDS };
      const mails = await this.database.asService((tx) => claimMails(tx, this.masterKey, lease));
      for (const mail of mails) {
        if (this.#rounds.signal.aborted) await this.#postpone(mail, 0);
        else await this.#send(mail);
      }
      claimed += mails.length;
      if (mails.length < BATCH) break;
    }
    return claimed;
  }

  async #send(mail: ClaimedMail): Promise<void> {
    const { id, to, attempts } = mail;
    try {
      if (to !== undefined) await this.transport.send({ ...mail, to });
      await this.#forget(id);
    } catch (error) {
      // Neither address nor text: the id alone names the mail.
      this.logger.warn({ mail: id, attempts, reason: codeOf(error) }, 'a mail could not be sent');
      if (attempts >= ATTEMPTS_MAX) await this.#forget(id);
      else await this.#postpone(mail, Math.min(RETRY_SECONDS_MAX, FIRST_RETRY_SECONDS * 2 ** (attempts - 1)));
    }
  }

  async #forget(id: string): Promise<void> {
    await this.database.asService((tx) => forgetMail(tx, id));
  }

  async #postpone({ id }: ClaimedMail, seconds: number): Promise<void> {
    await this.database.asService((tx) => postponeMail(tx, id, seconds));
  }
}

/** What an SMTP server or the disk said, without the addresses that its sentences repeat. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, responseCode } = error as { readonly code?: unknown; readonly responseCode?: unknown }; // as nodemailer and Node name them
  return [error.name, code, responseCode].filter((part) => part !== undefined).join(' ');
}

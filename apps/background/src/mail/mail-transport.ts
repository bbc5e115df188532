import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import type { Secret } from '#libs/config';
import type { Mail } from '#libs/mail';
import type { Logger } from '#libs/telemetry';

const SMTP_MS = 20_000;
const FILES_MAX = 200;

/** Brings one mail on its way. Rejects where it did not leave. */
export interface MailTransport {
  send(mail: Mail & { readonly id: string; readonly to: string }): Promise<void>;
  close(): void;
}

/** Sends through an SMTP server (`smtp://` upgrades to TLS where it can, `smtps://` demands it), all within 20 s each. */
export function smtpTransport(url: Secret, from: string): MailTransport {
  const timeouts = {
    connectionTimeout: SMTP_MS,
    greetingTimeout: SMTP_MS,
    socketTimeout: SMTP_MS,
    dnsTimeout: SMTP_MS,
  };
  const transport = createTransport({ url: url.reveal(), pool: true, maxConnections: 2, ...timeouts });
  return {
    async send({ id, to, subject, text }) {
      // The same id at a second try, so that the receiving side can see that it is the same mail.
      const messageId = `<${id}@${from.replace(/^.*@|>.*$/g, '')}>`;
      await transport.sendMail({ from, to, subject, text, messageId, disableFileAccess: true, disableUrlAccess: true });
    },
    close: () => transport.close(),
  };
}

/** Writes mails as files that only this user can read, the newest 200, for an installation without an SMTP server. */
export function folderTransport(folder: string, from: string, logger: Logger): MailTransport {
  return {
    async send({ id, to, subject, text }) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = path.join(folder, `${id}.txt`);
      const head = [`From: ${from}`, `To: ${to}`, `Date: ${new Date().toUTCString()}`, `Subject: ${subject}`];
      await writeFile(file, `${head.join('\n')}\n\n${text}`, { mode: 0o600 });
      logger.info({ file }, 'a mail was written to a file, because no SMTP server is configured');
      await keepNewest(folder);
    },
    close: () => undefined,
  };
}

/** Ids begin with their time, so names sort by age. */
async function keepNewest(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.txt')).sort();
  for (const name of files.slice(0, -FILES_MAX)) await rm(path.join(folder, name), { force: true });
}

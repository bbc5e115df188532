import path from 'node:path';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import type { BackgroundConfig } from '../config.js';
import { MailRelay } from './mail-relay.js';
import { folderTransport, smtpTransport } from './mail-transport.js';

/** Starts sending mails: through SMTP where it is configured, else into the data folder's `mail/`. */
export function startMail(config: BackgroundConfig, database: Database, logger: Logger): MailRelay {
  const { hostname } = new URL(config.WHARF_PUBLIC_URL);
  const from = config.WHARF_MAIL_FROM ?? `Wharf <no-reply@${hostname}>`;
  const folder = path.resolve(config.WHARF_DATA_DIR, 'mail');
  if (config.WHARF_SMTP_URL === undefined) {
    logger[config.NODE_ENV === 'production' ? 'warn' : 'info'](
      { folder },
      'no SMTP server: mails are written as files',
    );
  }
  const transport =
    config.WHARF_SMTP_URL === undefined
      ? folderTransport(folder, from, logger)
      : smtpTransport(config.WHARF_SMTP_URL, from);
  const relay = new MailRelay(database, config.WHARF_MASTER_KEY, transport, logger);
  relay.start();
  return relay;
}

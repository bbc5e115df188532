import type { ServerResponse } from 'node:http';
import type { ReplayedRequest } from '../replayed-request.js';
import type { AccountPageName } from '../routes.js';
import type { MailPages } from '../mail-pages/mail-pages.js';
import type { OwnPage, PersonDoor } from './person-door.js';

/** The pages by which people look after their own account; those around mails need nobody signed in. */
export class OwnPages {
  constructor(
    private readonly door: PersonDoor,
    private readonly mail: MailPages,
    private readonly pages: Readonly<Record<'sessions' | 'security' | 'app' | 'connections', OwnPage>>,
  ) {}

  /** Answers one request. */
  async handle(
    request: ReplayedRequest,
    response: ServerResponse,
    name: 'sessions' | 'connections' | AccountPageName,
  ): Promise<void> {
    switch (name) {
      case 'forgot':
      case 'reset':
      case 'verify':
        return this.mail.handle(request, response, name);
      default:
        return this.door.open(request, response, this.pages[name]);
    }
  }
}

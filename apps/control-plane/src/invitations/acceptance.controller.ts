import { Controller, Get, Inject, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '#libs/errors';
import { waitHeaders } from '#libs/http';
import { Public } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { RequestOrigin } from '../edge/managed-request.js';
import type { Origin } from '../edge/origin.js';
import { sourceOf } from '../edge/source.js';
import { CONFIG } from '../platform/tokens.js';
import { AttemptLimiter } from '../signup/attempt-limiter.js';
import { newPassword } from '../signup/signup.schema.js';
import { acceptedPage, invitationForm, type SentPage } from './acceptance-page.js';
import { AcceptanceService } from './acceptance.service.js';
import { hashInvitation } from './invitation-token.js';
import { acceptInvitation, getAcceptancePage, postAcceptancePage } from './invitations.schema.js';

const WHO = 'the token of the mail is the credential; attempts are limited for each network and token';

/** Where invited people become members. */
@Controller('v1/invitations/acceptance')
export class AcceptanceController {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(AttemptLimiter) private readonly attempts: AttemptLimiter,
    @Inject(AcceptanceService) private readonly acceptance: AcceptanceService,
  ) {}

  @Post()
  @Public(WHO)
  @Contract(acceptInvitation)
  accept(
    @RequestOrigin() origin: Origin,
    @Input() { body }: InputOf<typeof acceptInvitation>,
  ): Promise<AnswerOf<typeof acceptInvitation>> {
    return this.#accept(body, origin);
  }

  @Get(':token')
  @Public('the page asks for nothing but a password, and says nothing of the invitation')
  @Contract(getAcceptancePage)
  show(@Input() { params }: InputOf<typeof getAcceptancePage>, @Res({ passthrough: true }) response: Response): string {
    return sent(response, invitationForm(params.token));
  }

  @Post(':token')
  @Public(WHO)
  @Contract(postAcceptancePage)
  async submit(
    @RequestOrigin() origin: Origin,
    @Input() { params: { token }, body }: InputOf<typeof postAcceptancePage>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const password = newPassword.safeParse(new URLSearchParams(body.content.toString()).get('password'));
    if (!password.success) return sent(response, invitationForm(token, 'The password needs 12 to 128 characters.'));
    try {
      const { tenant, role, urls } = await this.#accept({ token, password: password.data }, origin);
      return sent(response, acceptedPage({ tenant, role, url: urls.mcp }));
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      response.status(error.status).set(waitHeaders(error));
      return sent(response, invitationForm(token, error.message));
    }
  }

  async #accept(
    given: { token: string; password: string },
    origin: Origin,
  ): Promise<AnswerOf<typeof acceptInvitation>> {
    const max = this.config.WHARF_SIGNUPS_PER_HOUR;
    await this.attempts.count('invitations', sourceOf(origin.sourceAddress), max);
    await this.attempts.count('this invitation', hashInvitation(given.token), max);
    return this.acceptance.accept(given, origin);
  }
}

function sent(response: Response, { text, headers }: SentPage): string {
  response.set(headers as Record<string, string>); // pages send plain text values only
  return text;
}

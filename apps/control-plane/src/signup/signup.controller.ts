import { Controller, Inject, Post } from '@nestjs/common';
import { Public } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { RequestOrigin } from '../edge/managed-request.js';
import type { Origin } from '../edge/origin.js';
import { sourceOf } from '../edge/source.js';
import { CONFIG } from '../platform/tokens.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { signUp } from './signup.schema.js';
import { SignupService } from './signup.service.js';

/** The platform's front door. */
@Controller('v1/signup')
export class SignupController {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(AttemptLimiter) private readonly attempts: AttemptLimiter,
    @Inject(SignupService) private readonly signups: SignupService,
  ) {}

  @Post()
  @Public('nobody has credentials before signing up; attempts are limited for each network and e-mail address')
  @Contract(signUp)
  async signUp(
    @RequestOrigin() origin: Origin,
    @Input() { body }: InputOf<typeof signUp>,
  ): Promise<AnswerOf<typeof signUp>> {
    const max = this.config.WHARF_SIGNUPS_PER_HOUR;
    await this.attempts.count('sign-up', sourceOf(origin.sourceAddress), max);
    // An account's password can be tried here, so many addresses together get no more attempts at it than one.
    await this.attempts.count('sign-up with this e-mail address', body.email, max);
    return this.signups.signUp(body, origin, this.config.WHARF_PUBLIC_URL);
  }
}

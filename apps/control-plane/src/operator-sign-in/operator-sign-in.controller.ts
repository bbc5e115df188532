import { Controller, Inject, Post } from '@nestjs/common';
import { Public } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { RequestOrigin } from '../edge/managed-request.js';
import type { Origin } from '../edge/origin.js';
import { sourceOf } from '../edge/source.js';
import { AttemptLimiter } from '../signup/attempt-limiter.js';
import { EnrolmentService } from './enrolment.service.js';
import { confirmEnrolment, enrol, signIn } from './operator-sign-in.schema.js';
import { OperatorSignInService } from './operator-sign-in.service.js';

/** Attempts in an hour of one network, at whichever account. */
const FROM_NETWORK_MAX = 60;

/** Where operators come in. */
@Controller('admin/v1')
export class OperatorSignInController {
  constructor(
    @Inject(AttemptLimiter) private readonly attempts: AttemptLimiter,
    @Inject(OperatorSignInService) private readonly signIns: OperatorSignInService,
    @Inject(EnrolmentService) private readonly enrolments: EnrolmentService,
  ) {}

  @Post('enrolments')
  @Public('an invitation is the credential; attempts are limited for each network')
  @Contract(enrol)
  async enrol(
    @RequestOrigin() origin: Origin,
    @Input() { body }: InputOf<typeof enrol>,
  ): Promise<AnswerOf<typeof enrol>> {
    await this.#count(origin);
    return this.enrolments.enrol(body);
  }

  @Post('enrolments/confirmation')
  @Public('an invitation is the credential; attempts are limited for each network')
  @Contract(confirmEnrolment)
  async confirm(
    @RequestOrigin() origin: Origin,
    @Input() { body }: InputOf<typeof confirmEnrolment>,
  ): Promise<AnswerOf<typeof confirmEnrolment>> {
    await this.#count(origin);
    return this.enrolments.confirm(body);
  }

  @Post('sign-in')
  @Public('nobody has credentials before signing in; attempts are limited for each network and e-mail address')
  @Contract(signIn)
  async signIn(
    @RequestOrigin() origin: Origin,
    @Input() { body }: InputOf<typeof signIn>,
  ): Promise<AnswerOf<typeof signIn>> {
    await this.#count(origin);
    return this.signIns.signIn(body, origin);
  }

  #count({ sourceAddress }: Origin): Promise<void> {
    return this.attempts.count('operators’ sign-in', sourceOf(sourceAddress), FROM_NETWORK_MAX);
  }
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { credentialOf, OPERATOR_KEY } from './credential.js';
import { CredentialsRepository } from './credentials.repository.js';

const SHAPE = /^who_[A-Za-z0-9_-]{32,128}$/;

/** Lets in whoever holds an operator's key. */
@Injectable()
export class OperatorKeyStrategy extends PassportStrategy(Strategy, OPERATOR_KEY) {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CredentialsRepository) private readonly credentials: CredentialsRepository,
  ) {
    super();
  }

  override authenticate(request: ManagedRequest): void {
    this.prove(request).then(
      (caller) => (caller === undefined ? this.fail() : this.success(caller)),
      (error: unknown) => this.error(error),
    );
  }

  /** Strategies that authenticate by themselves have nothing left to validate. */
  validate(): never {
    throw new AppError('internal');
  }

  /** Passport runs strategies through objects derived from them, which `#` names do not reach. */
  private async prove(request: ManagedRequest): Promise<OperatorCaller | undefined> {
    const text = credentialOf(request);
    if (text === undefined || !SHAPE.test(text)) return undefined;
    const hash = createHash('sha256').update(text).digest('hex');
    const operator = await this.database.asService((tx) => this.credentials.findOperator(tx, hash));
    if (operator === undefined || !timingSafeEqual(Buffer.from(operator.key_hash), Buffer.from(hash))) return undefined;
    return { kind: 'operator', operatorId: operator.id, origin: request.origin };
  }
}

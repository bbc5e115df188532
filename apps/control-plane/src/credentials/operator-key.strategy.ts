import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import { heldByKeyOf, HELD_BY_OPERATORS, lesserRole } from '../access/operator-roles.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { credentialOf, OPERATOR_KEY } from './credential.js';
import { CredentialsRepository } from './credentials.repository.js';
import { hashOperatorSecret, isOperatorSecret } from './operator-credentials.js';
import { ProvingStrategy } from './proving-strategy.js';

/** Of a key that the configuration names: for the first day, and for emergencies. */
const SHAPE = /^who_[A-Za-z0-9_-]{32,128}$/;

/** Lets in whoever holds a session or key of an operator's account, or the key of the configuration. */
@Injectable()
export class OperatorKeyStrategy extends ProvingStrategy(OPERATOR_KEY) {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CredentialsRepository) private readonly credentials: CredentialsRepository,
  ) {
    super();
  }

  override async prove(request: ManagedRequest): Promise<OperatorCaller | undefined> {
    const text = credentialOf(request);
    if (text === undefined) return undefined;
    if (isOperatorSecret(text)) return this.ofAccount(request, hashOperatorSecret(text));
    return SHAPE.test(text) ? this.ofConfiguration(request, hashOperatorSecret(text)) : undefined;
  }

  private async ofAccount({ origin }: ManagedRequest, hash: string): Promise<OperatorCaller | undefined> {
    const found = await this.database.asService((tx) => this.credentials.useOperatorCredential(tx, hash));
    if (found === undefined) return undefined;
    const role = lesserRole(found.role, found.own_role);
    const credential = { kind: found.kind, id: found.id };
    const permissions = found.kind === 'key' ? heldByKeyOf(role) : HELD_BY_OPERATORS[role];
    return { kind: 'operator', operatorId: found.operator_id, role, credential, permissions, origin };
  }

  private async ofConfiguration({ origin }: ManagedRequest, hash: string): Promise<OperatorCaller | undefined> {
    const operator = await this.database.asService((tx) => this.credentials.findOperator(tx, hash));
    if (operator === undefined || !timingSafeEqual(Buffer.from(operator.key_hash), Buffer.from(hash))) return undefined;
    const permissions = HELD_BY_OPERATORS.admin;
    const credential = { kind: 'break_glass' } as const;
    return { kind: 'operator', operatorId: operator.id, role: 'admin', credential, permissions, origin };
  }
}

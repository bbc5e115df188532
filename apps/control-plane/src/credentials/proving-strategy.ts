import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport';
import { AppError } from '#libs/errors';
import type { Caller } from '../access/caller.js';
import type { ManagedRequest } from '../edge/managed-request.js';

/** The passport strategy of this name for credentials of our own: it lets in whom `prove` names. */
export function ProvingStrategy(name: string) {
  abstract class Proving extends PassportStrategy(Strategy, name) {
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

    /**
     * Whom the request's credential proves; undefined where it is of another kind, or nobody's. Passport runs strategies
     * through objects derived from them, which `#` names do not reach.
     */
    abstract prove(request: ManagedRequest): Promise<Caller | undefined>;
  }
  return Proving;
}

import type { Consents } from '../provider/consents/consents.js';
import type { Grants } from './grants.js';
import type { Holder } from './held-grant.js';
import type { AgentPage, AgentQuery } from './held-agents.js';

/** What a person sees and ends of their own. */
export class OwnGrants {
  constructor(
    private readonly grants: Grants,
    private readonly consents: Consents,
  ) {}

  /** A page of what agents hold for a person. */
  list(holder: Holder, query: AgentQuery): Promise<AgentPage> {
    return this.grants.list(holder, query);
  }

  /** Whether a grant is a living one of this person. */
  async holds(holder: Holder, id: string): Promise<boolean> {
    return (await this.grants.find(holder, id)) !== undefined;
  }

  /** Ends the agent that one of a person's grants is of, at its URL; it must ask the person again. False where it is none of theirs. */
  async revoke(holder: Holder, id: string, address: string): Promise<boolean> {
    const grant = await this.grants.find(holder, id);
    if (grant === undefined) return false;
    await this.consents.forget(grant);
    await this.grants.revoke(grant, address);
    return true;
  }
}

import type { Answer, ControlPlane, TestTenant } from './control-plane.fixture.js';

/** A tenant with an owner and an admin, and what they do to its members. */
export interface Company {
  readonly tenant: TestTenant;
  /** The owner's token, and the admin's. */
  readonly owner: string;
  readonly admin: string;
  readonly adminId: string;
  change(key: string, memberId: string, body: unknown): Promise<Answer>;
  /** The tenant's records of one kind of event. */
  // oxlint-disable-next-line typescript/no-explicit-any
  events(event: string): Promise<any>;
}

/** Makes one. */
export async function newCompany(api: ControlPlane): Promise<Company> {
  const tenant = await api.newTenant();
  const adminId = await api.newMember(tenant, 'admin');
  return {
    tenant,
    owner: await api.tokenOf(tenant, tenant.ownerId),
    admin: await api.tokenOf(tenant, adminId),
    adminId,
    change: (key, memberId, body) => api.send('PATCH', `/v1/members/${memberId}`, { key, body }),
    events: async (event) => (await api.send('GET', `/v1/audit?event=${event}`, { key: tenant.key })).body.records,
  };
}

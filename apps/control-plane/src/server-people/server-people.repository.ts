import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** Who may connect a server. */
export interface ServerPeople {
  readonly open_to: 'everyone' | 'named';
  readonly members: string[];
  readonly groups: string[];
}

/** Which people may connect which server. */
@Injectable()
export class ServerPeopleRepository {
  async get(tx: Transaction, tenantId: string, serverId: string): Promise<ServerPeople> {
    const rows: [ServerPeople] = await tx.query(
      `select s.people as open_to,
         array(select p.who from server_people p where p.tenant_id = $1 and p.server_id = $2 and p.kind = 'member'
               order by p.who) as members,
         array(select p.who from server_people p where p.tenant_id = $1 and p.server_id = $2 and p.kind = 'group'
               order by p.who collate "C") as groups
       from servers s where s.tenant_id = $1 and s.id = $2`,
      [tenantId, serverId],
    );
    return rows[0];
  }

  /** Those of these accounts that are no members. */
  async strangers(tx: Transaction, tenantId: string, accounts: readonly string[]): Promise<string[]> {
    const rows: Array<{ id: string }> = await tx.query(
      `select id from unnest($2::uuid[]) as id where not exists
         (select from members m where m.tenant_id = $1 and m.account_id = id)`,
      [tenantId, accounts],
    );
    return rows.map(({ id }) => id);
  }

  async replace(tx: Transaction, tenantId: string, serverId: string, people: ServerPeople): Promise<void> {
    await tx.query(`update servers set people = $3 where tenant_id = $1 and id = $2`, [
      tenantId,
      serverId,
      people.open_to,
    ]);
    await tx.query(`delete from server_people where tenant_id = $1 and server_id = $2`, [tenantId, serverId]);
    await tx.query(
      `insert into server_people (tenant_id, server_id, kind, who)
       select distinct $1::uuid, $2::uuid, 'member', who from unnest($3::text[]) as who
       union select $1, $2, 'group', who from unnest($4::text[]) as who`,
      [tenantId, serverId, people.members, people.groups],
    );
  }
}

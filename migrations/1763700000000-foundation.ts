import type { MigrationInterface, QueryRunner } from 'typeorm';
import { DATABASE_ROLES } from '#libs/database';
import { FUNCTIONS } from './foundation/functions.js';
import { TABLES } from './foundation/tables.js';
import { stampSharedTable, stampTenantTable } from './support/tenant-table.js';

/** The first schema: tenants, people, servers, releases, secrets, jobs and the audit log. */
export class Foundation1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke create on schema public from public`);
    for (const role of DATABASE_ROLES) await runner.query(`grant usage on schema public to ${role}`);
    await runner.query(TABLES);
    await runner.query(FUNCTIONS);
    await this.stampShared(runner);
    await this.stampPeople(runner);
    await this.stampServers(runner);
    await this.stampRecords(runner);
  }

  async down(): Promise<void> {
    throw new Error('The first schema has no way back: drop the database instead.');
  }

  private async stampShared(runner: QueryRunner): Promise<void> {
    await stampSharedTable(runner, 'installation', 'one row that says which master key this database belongs to', {});
    await stampSharedTable(runner, 'plans', 'plans are the operator’s offer, the same for all tenants', {
      wharf_control: 'select',
      wharf_operator: 'select, insert, update',
      wharf_gateway: 'select',
      wharf_background: 'select',
    });
    await stampSharedTable(runner, 'accounts', 'a person may be a member of several tenants', {
      wharf_auth: 'select',
      wharf_control: 'select, insert',
    });
    await stampSharedTable(runner, 'operators', 'operators belong to the platform', {
      wharf_operator: 'select, insert',
    });
    await stampSharedTable(runner, 'operator_actions', 'the platform’s own audit', {
      wharf_operator: 'select, insert',
    });
    await stampSharedTable(runner, 'signing_keys', 'one authorization server signs for all tenants', {
      wharf_auth: 'select, insert',
    });
    await stampSharedTable(
      runner,
      'oauth_artifacts',
      'state of the one authorization server, addressed by hashes of secrets',
      {
        wharf_auth: 'select, insert, update, delete',
      },
    );
  }

  private async stampPeople(runner: QueryRunner): Promise<void> {
    await stampTenantTable(
      runner,
      'tenants',
      {
        grants: {
          wharf_auth: 'select',
          wharf_control: 'select, insert, update (name)',
          wharf_operator: 'select, update (status, status_reason, plan)',
          wharf_gateway: 'select',
          wharf_background: 'select',
        },
        acrossTenants: [
          { role: 'wharf_gateway', commands: ['select'], reason: 'a tenant URL names the tenant by its slug' },
          { role: 'wharf_auth', commands: ['select'], reason: 'a resource indicator names the tenant by its slug' },
          {
            role: 'wharf_operator',
            commands: ['select', 'update'],
            reason: 'operators list, suspend and resume tenants',
          },
        ],
      },
      'id',
    );
    await stampTenantTable(runner, 'members', {
      grants: { wharf_auth: 'select', wharf_control: 'select, insert, update, delete' },
    });
    await stampTenantTable(runner, 'api_keys', {
      grants: { wharf_control: 'select, insert, update', wharf_gateway: 'select, update (last_used_at)' },
    });
  }

  private async stampServers(runner: QueryRunner): Promise<void> {
    await stampTenantTable(runner, 'blobs', {
      grants: { wharf_control: 'select, insert, delete', wharf_gateway: 'select', wharf_background: 'select' },
    });
    await stampTenantTable(runner, 'servers', {
      grants: {
        wharf_auth: 'select',
        wharf_control: 'select, insert, update, delete',
        wharf_gateway: 'select',
        wharf_background: 'select, update',
      },
    });
    await stampTenantTable(runner, 'releases', {
      grants: {
        wharf_control: 'select, insert, update, delete',
        wharf_gateway: 'select',
        wharf_background: 'select, update',
      },
    });
    await stampTenantTable(runner, 'data_keys', {
      grants: { wharf_control: 'select, insert', wharf_gateway: 'select', wharf_background: 'select' },
    });
    await stampTenantTable(runner, 'secrets', {
      grants: { wharf_control: 'select, insert, update, delete', wharf_gateway: 'select', wharf_background: 'select' },
    });
    await stampTenantTable(runner, 'egress_allowances', {
      grants: {
        wharf_control: 'select',
        wharf_operator: 'select, insert, delete',
        wharf_gateway: 'select',
        wharf_background: 'select',
      },
      acrossTenants: [
        {
          role: 'wharf_operator',
          commands: ['select', 'insert', 'delete'],
          reason: 'only operators open private addresses',
        },
      ],
    });
  }

  private async stampRecords(runner: QueryRunner): Promise<void> {
    await stampTenantTable(runner, 'outbox', {
      grants: { wharf_control: 'insert', wharf_operator: 'insert', wharf_background: 'select, insert, update, delete' },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select', 'update', 'delete'],
          reason: 'one relay hands the jobs of all tenants to the queues',
        },
        {
          role: 'wharf_operator',
          commands: ['insert'],
          reason: 'suspending a tenant enqueues the stop of its workers',
        },
      ],
    });
    await stampTenantTable(runner, 'audit_records', {
      grants: {
        wharf_auth: 'select, insert',
        wharf_control: 'select, insert',
        wharf_operator: 'select, insert',
        wharf_gateway: 'select, insert',
        wharf_background: 'select, insert',
      },
      acrossTenants: [
        {
          role: 'wharf_operator',
          commands: ['insert'],
          reason: 'what an operator does to a tenant stands in the tenant’s own log',
        },
      ],
    });
  }
}

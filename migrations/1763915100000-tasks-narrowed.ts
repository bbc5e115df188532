import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CURRENT_TENANT } from './support/tenant-table.js';

/** What a gateway may see and change of tasks in nobody's transaction, by command. */
const NARROWED = {
  select: `look_at is not null or expires_at < now()`,
  update: `look_at is not null`,
  delete: `expires_at < now()`,
} as const;

/**
 * In nobody's transaction a gateway meets tasks that run, or whose time is over: what came of a task that has ended is
 * its tenant's alone. The release before asks for no others either.
 */
export class TasksNarrowed1763915100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [command, rows] of Object.entries(NARROWED))
      await this.#set(runner, command, `(${CURRENT_TENANT} is null and (${rows}))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const command of Object.keys(NARROWED)) await this.#set(runner, command, `(${CURRENT_TENANT} is null)`);
  }

  async #set(runner: QueryRunner, command: string, condition: string): Promise<void> {
    const check = command === 'update' ? ` with check ${condition}` : '';
    await runner.query(`alter policy tasks_wharf_gateway_${command} on tasks using ${condition}${check}`);
  }
}

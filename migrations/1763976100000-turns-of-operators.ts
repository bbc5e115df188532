import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

/** Whose turn it is, among operators, to do what only one may do at a time and no transaction can hold. */
export class TurnsOfOperators1763976100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table operator_turns (
        name text primary key,
        holder uuid not null,
        -- Whoever ended without giving it back has it until then.
        until timestamptz not null
      )`);
    await stampSharedTable(runner, 'operator_turns', 'what operators do one after another is the platform’s', {
      wharf_operator: 'select, insert, update, delete',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table operator_turns`);
  }
}

import type { EntityManager } from 'typeorm';

/** What queries run on: one open transaction. */
export type Transaction = EntityManager;

import { Foundation1763700000000 } from './1763700000000-foundation.js';
import { EgressChoices1763710000000 } from './1763710000000-egress-choices.js';
import { Bundles1763720000000 } from './1763720000000-bundles.js';
import { Grants1763730000000 } from './1763730000000-grants.js';
import { People1763741000000 } from './1763741000000-people.js';
import { Clients1763740000000 } from './1763740000000-clients.js';
import { AuditLog1763750000000 } from './1763750000000-audit-log.js';
import { AuditArchives1763751000000 } from './1763751000000-audit-archives.js';
import { Rollouts1763770000000 } from './1763770000000-rollouts.js';

/** Every migration, oldest first. */
export const MIGRATIONS = [
  Foundation1763700000000,
  EgressChoices1763710000000,
  Bundles1763720000000,
  Grants1763730000000,
  People1763741000000,
  Clients1763740000000,
  AuditLog1763750000000,
  AuditArchives1763751000000,
  Rollouts1763770000000,
];

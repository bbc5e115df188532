import { OperatorNotes1763972100000 } from './1763972100000-operator-notes.js';
import { PlansThatEnd1763972000000 } from './1763972000000-plans-that-end.js';
import { MasterKeys1763932000000 } from './1763932000000-master-keys.js';
import { UnknownMakers1763967050000 } from './1763967050000-unknown-makers.js';
import { MakersFromTheLog1763967100000 } from './1763967100000-makers-from-the-log.js';
import { PastMembers1763968000000 } from './1763968000000-past-members.js';
import { EndsOfMoves1763968100000 } from './1763968100000-ends-of-moves.js';
import { KnownHolders1763968200000 } from './1763968200000-known-holders.js';
import { PlatformItself1763968300000 } from './1763968300000-platform-itself.js';
import { TurnsOfOperators1763976100000 } from './1763976100000-turns-of-operators.js';
import { LogsThatEnd1763976200000 } from './1763976200000-logs-that-end.js';
import { MailsToOwners1763978000000 } from './1763978000000-mails-to-owners.js';
import { TenantsOfPeople1763976300000 } from './1763976300000-tenants-of-people.js';
import { EventsOutliveAccounts1763976400000 } from './1763976400000-events-outlive-accounts.js';
import { StandingOfOperators1763976000000 } from './1763976000000-standing-of-operators.js';
import { PlansWhenUncertain1763974000000 } from './1763974000000-plans-when-uncertain.js';
import { KeysOfLeavers1763969000000 } from './1763969000000-keys-of-leavers.js';
import { ScopesOfGoneServers1763969100000 } from './1763969100000-scopes-of-gone-servers.js';
import { SeveralHolds1763971000000 } from './1763971000000-several-holds.js';
import { EmergencyKeys1763971100000 } from './1763971100000-emergency-keys.js';
import { ServicesSeeTheSchema1763973000000 } from './1763973000000-services-see-the-schema.js';
import { HoldersOfSecrets1763967000000 } from './1763967000000-holders-of-secrets.js';
import { Foundation1763700000000 } from './1763700000000-foundation.js';
import { EgressChoices1763710000000 } from './1763710000000-egress-choices.js';
import { Bundles1763720000000 } from './1763720000000-bundles.js';
import { Grants1763730000000 } from './1763730000000-grants.js';
import { Clients1763740000000 } from './1763740000000-clients.js';
import { People1763741000000 } from './1763741000000-people.js';
import { IdentityProviders1763742000000 } from './1763742000000-identity-providers.js';
import { Scopes1763743000000 } from './1763743000000-scopes.js';
import { ConnectSteps1763744000000 } from './1763744000000-connect-steps.js';
import { SigningKeyRotation1763744100000 } from './1763744100000-signing-key-rotation.js';
import { AuditLog1763750000000 } from './1763750000000-audit-log.js';
import { AuditArchives1763751000000 } from './1763751000000-audit-archives.js';
import { AuditLogCost1763751500000 } from './1763751500000-audit-log-cost.js';
import { Webhooks1763780000000 } from './1763780000000-webhooks.js';
import { CallRollups1763760000000 } from './1763760000000-call-rollups.js';
import { ReleaseVersions1763775000000 } from './1763775000000-release-versions.js';
import { Probes1763776000000 } from './1763776000000-probes.js';
import { IdempotencyKeys1763870000000 } from './1763870000000-idempotency-keys.js';
import { Members1763871000000 } from './1763871000000-members.js';
import { KeySuccessors1763872000000 } from './1763872000000-key-successors.js';
import { AuditModes1763800000000 } from './1763800000000-audit-modes.js';
import { Rollouts1763810000000 } from './1763810000000-rollouts.js';
import { ReleaseSchedules1763811000000 } from './1763811000000-release-schedules.js';
import { AllowedOrigins1763820000000 } from './1763820000000-allowed-origins.js';
import { GrantUses1763821000000 } from './1763821000000-grant-uses.js';
import { ExchangeServers1763822000000 } from './1763822000000-exchange-servers.js';
import { FederatedStanding1763823000000 } from './1763823000000-federated-standing.js';
import { AgentsOfGrants1763828000000 } from './1763828000000-agents-of-grants.js';
import { SessionsAndStreams1763840000000 } from './1763840000000-sessions-and-streams.js';
import { StreamHeaders1763880000000 } from './1763880000000-stream-headers.js';
import { PlatformLog1763881000000 } from './1763881000000-platform-log.js';
import { Documents1763905000000 } from './1763905000000-documents.js';
import { ExchangeClients1763900000000 } from './1763900000000-exchange-clients.js';
import { Drift1763902000000 } from './1763902000000-drift.js';
import { Connections1763904000000 } from './1763904000000-connections.js';
import { ConnectionScopes1763916000000 } from './1763916000000-connection-scopes.js';
import { SettledSealing1763918000000 } from './1763918000000-settled-sealing.js';
import { ArchivePromises1763917000000 } from './1763917000000-archive-promises.js';
import { UnplacedRefusals1763901000000 } from './1763901000000-unplaced-refusals.js';
import { OperatedTenants1763935100000 } from './1763935100000-operated-tenants.js';
import { BreakerOrders1763935200000 } from './1763935200000-breaker-orders.js';
import { OperatedJobs1763935300000 } from './1763935300000-operated-jobs.js';
import { ResultGuards1763940000000 } from './1763940000000-result-guards.js';
import { Notices1763935400000 } from './1763935400000-notices.js';
import { OperatorAccounts1763935000000 } from './1763935000000-operator-accounts.js';
import { Profiles1763906000000 } from './1763906000000-profiles.js';
import { Usage1763908000000 } from './1763908000000-usage.js';
import { CallLimits1763908100000 } from './1763908100000-call-limits.js';
import { KeptResults1763915000000 } from './1763915000000-kept-results.js';
import { TasksNarrowed1763915100000 } from './1763915100000-tasks-narrowed.js';
import { ToolSaturation1763913000000 } from './1763913000000-tool-saturation.js';
import { Tasks1763907000000 } from './1763907000000-tasks.js';
import { RolloutThresholds1763911000000 } from './1763911000000-rollout-thresholds.js';
import { ArchivePlaces1763914100000 } from './1763914100000-archive-places.js';
import { ObjectStore1763914000000 } from './1763914000000-object-store.js';
import { Environments1763903100000 } from './1763903100000-environments.js';
import { FeatureFlags1763903000000 } from './1763903000000-feature-flags.js';
import { TenantLifeCycle1763934000000 } from './1763934000000-tenant-life-cycle.js';
import { TenantExports1763934100000 } from './1763934100000-tenant-exports.js';
import { BoundArtifacts1763910000000 } from './1763910000000-bound-artifacts.js';
import { Policies1763933000000 } from './1763933000000-policies.js';
import { RegistryEntries1763937000000 } from './1763937000000-registry-entries.js';
import { DataKeyRotation1763941000000 } from './1763941000000-data-key-rotation.js';
import { TenantMoves1763951000000 } from './1763951000000-tenant-moves.js';
import { EgressUsage1763941100000 } from './1763941100000-egress-usage.js';
import { TenantHomes1763950000000 } from './1763950000000-tenant-homes.js';
import { TenantImports1763952000000 } from './1763952000000-tenant-imports.js';
import { OperatorNetworks1763958100000 } from './1763958100000-operator-networks.js';
import { AccountEvents1763960000000 } from './1763960000000-account-events.js';
import { WallsOfMoves1763961000000 } from './1763961000000-walls-of-moves.js';
import { SweepsAtHome1763961100000 } from './1763961100000-sweeps-at-home.js';
import { AbandonedMoves1763961200000 } from './1763961200000-abandoned-moves.js';
import { ArrivalsByKey1763965000000 } from './1763965000000-arrivals-by-key.js';
import { MakersOfKeys1763962000000 } from './1763962000000-makers-of-keys.js';
import { SecretVersions1763962100000 } from './1763962100000-secret-versions.js';
import { ImportRetries1763962200000 } from './1763962200000-import-retries.js';
import { PeopleOfDeletedTenants1763958000000 } from './1763958000000-people-of-deleted-tenants.js';
import { RegionsOfWork1763953000000 } from './1763953000000-regions-of-work.js';
import { PlanTierAndEgress1763957000000 } from './1763957000000-plan-tier-and-egress.js';

/** Every migration, oldest first. */
export const MIGRATIONS = [
  Foundation1763700000000,
  EgressChoices1763710000000,
  Bundles1763720000000,
  Grants1763730000000,
  Clients1763740000000,
  People1763741000000,
  IdentityProviders1763742000000,
  Scopes1763743000000,
  ConnectSteps1763744000000,
  SigningKeyRotation1763744100000,
  AuditLog1763750000000,
  AuditArchives1763751000000,
  AuditLogCost1763751500000,
  Webhooks1763780000000,
  CallRollups1763760000000,
  ReleaseVersions1763775000000,
  Probes1763776000000,
  AuditModes1763800000000,
  Rollouts1763810000000,
  ReleaseSchedules1763811000000,
  AllowedOrigins1763820000000,
  GrantUses1763821000000,
  ExchangeServers1763822000000,
  FederatedStanding1763823000000,
  AgentsOfGrants1763828000000,
  SessionsAndStreams1763840000000,
  IdempotencyKeys1763870000000,
  Members1763871000000,
  KeySuccessors1763872000000,
  StreamHeaders1763880000000,
  PlatformLog1763881000000,
  Documents1763905000000,
  ExchangeClients1763900000000,
  Drift1763902000000,
  Connections1763904000000,
  UnplacedRefusals1763901000000,
  FeatureFlags1763903000000,
  Environments1763903100000,
  Profiles1763906000000,
  Usage1763908000000,
  CallLimits1763908100000,
  Tasks1763907000000,
  BoundArtifacts1763910000000,
  RolloutThresholds1763911000000,
  ToolSaturation1763913000000,
  ObjectStore1763914000000,
  ArchivePlaces1763914100000,
  KeptResults1763915000000,
  TasksNarrowed1763915100000,
  ConnectionScopes1763916000000,
  SettledSealing1763918000000,
  ArchivePromises1763917000000,
  TenantLifeCycle1763934000000,
  TenantExports1763934100000,
  Policies1763933000000,
  MasterKeys1763932000000,
  RegistryEntries1763937000000,
  OperatorAccounts1763935000000,
  OperatedTenants1763935100000,
  BreakerOrders1763935200000,
  OperatedJobs1763935300000,
  Notices1763935400000,
  ResultGuards1763940000000,
  DataKeyRotation1763941000000,
  EgressUsage1763941100000,
  TenantHomes1763950000000,
  TenantMoves1763951000000,
  TenantImports1763952000000,
  RegionsOfWork1763953000000,
  PlanTierAndEgress1763957000000,
  PeopleOfDeletedTenants1763958000000,
  OperatorNetworks1763958100000,
  AccountEvents1763960000000,
  WallsOfMoves1763961000000,
  SweepsAtHome1763961100000,
  AbandonedMoves1763961200000,
  MakersOfKeys1763962000000,
  SecretVersions1763962100000,
  ImportRetries1763962200000,
  ArrivalsByKey1763965000000,
  HoldersOfSecrets1763967000000,
  UnknownMakers1763967050000,
  MakersFromTheLog1763967100000,
  PastMembers1763968000000,
  EndsOfMoves1763968100000,
  KnownHolders1763968200000,
  PlatformItself1763968300000,
  KeysOfLeavers1763969000000,
  ScopesOfGoneServers1763969100000,
  SeveralHolds1763971000000,
  EmergencyKeys1763971100000,
  PlansThatEnd1763972000000,
  OperatorNotes1763972100000,
  ServicesSeeTheSchema1763973000000,
  PlansWhenUncertain1763974000000,
  StandingOfOperators1763976000000,
  TurnsOfOperators1763976100000,
  LogsThatEnd1763976200000,
  TenantsOfPeople1763976300000,
  EventsOutliveAccounts1763976400000,
  MailsToOwners1763978000000,
];

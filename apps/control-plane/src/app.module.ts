import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { AccessModule } from './access/access.module.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { ArtefactsModule } from './artefacts/artefacts.module.js';
import { AuditExportModule } from './audit-export/audit-export.module.js';
import { AuditProofsModule } from './audit-proofs/audit-proofs.module.js';
import { AuditQueryModule } from './audit-query/audit-query.module.js';
import { CallerIdentityModule } from './caller-identity/caller-identity.module.js';
import { ClientsModule } from './clients/clients.module.js';
import { ConnectAttemptsModule } from './connect-attempts/connect-attempts.module.js';
import { ConnectorsModule } from './connectors/connectors.module.js';
import { ContractModule } from './contract/contract.module.js';
import { AnnounceInterceptor } from './edge/announce.interceptor.js';
import { ProblemFilter } from './edge/problem.filter.js';
import { IdempotencyModule } from './idempotency/idempotency.module.js';
import { IdentityProvidersModule } from './identity-providers/identity-providers.module.js';
import { ImportedAuditModule } from './imported-audit/imported-audit.module.js';
import { InvitationsModule } from './invitations/invitations.module.js';
import { MembersModule } from './members/members.module.js';
import { MetricsSummaryModule } from './metrics-summary/metrics-summary.module.js';
import { OwnConnectionsModule } from './own-connections/own-connections.module.js';
import { ApprovalsModule } from './approvals/approvals.module.js';
import { PolicyTrialsModule } from './policy-trials/policy-trials.module.js';
import { PoliciesModule } from './policies/policies.module.js';
import { CallLimitsModule } from './call-limits/call-limits.module.js';
import { UsageModule } from './usage/usage.module.js';
import { OpenApiDocumentModule } from './openapi-document/openapi-document.module.js';
import { OperatorAccountsModule } from './operator-accounts/operator-accounts.module.js';
import { OperatorOwnModule } from './operator-own/operator-own.module.js';
import { OperatorPasswordModule } from './operator-password/operator-password.module.js';
import { OperatorSignInModule } from './operator-sign-in/operator-sign-in.module.js';
import { OperatorsModule } from './operators/operators.module.js';
import { PlatformDataKeysModule } from './platform-data-keys/platform-data-keys.module.js';
import { PlatformEgressModule } from './platform-egress/platform-egress.module.js';
import { EmergencyKeysModule } from './emergency-keys/emergency-keys.module.js';
import { EnvironmentsModule } from './environments/environments.module.js';
import { PromotionsModule } from './promotions/promotions.module.js';
import { FeatureFlagsModule } from './feature-flags/feature-flags.module.js';
import { PlatformFeatureFlagsModule } from './platform-feature-flags/platform-feature-flags.module.js';
import { ImpersonationsModule } from './impersonations/impersonations.module.js';
import { PlatformHealthModule } from './platform-health/platform-health.module.js';
import { PlatformHoldsModule } from './platform-holds/platform-holds.module.js';
import { PlatformHomesModule } from './platform-homes/platform-homes.module.js';
import { PlatformLimitsModule } from './platform-limits/platform-limits.module.js';
import { PlatformBreakersModule } from './platform-breakers/platform-breakers.module.js';
import { AnnouncementsModule } from './announcements/announcements.module.js';
import { PlatformImportsModule } from './platform-imports/platform-imports.module.js';
import { PlatformJobsModule } from './platform-jobs/platform-jobs.module.js';
import { PlatformRuntimesModule } from './platform-runtimes/platform-runtimes.module.js';
import { PlatformSessionsModule } from './platform-sessions/platform-sessions.module.js';
import { PlatformPlansModule } from './platform-plans/platform-plans.module.js';
import { PlatformMasterKeysModule } from './platform-master-keys/platform-master-keys.module.js';
import { PlatformSigningKeysModule } from './platform-signing-keys/platform-signing-keys.module.js';
import { PlatformDeletionsModule } from './platform-deletions/platform-deletions.module.js';
import { PlatformOwnersModule } from './platform-owners/platform-owners.module.js';
import { PlatformTenantsModule } from './platform-tenants/platform-tenants.module.js';
import { PlatformModule, type Platform } from './platform/platform.module.js';
import { DocumentsModule } from './documents/documents.module.js';
import { ProbesModule } from './probes/probes.module.js';
import { ClientConfigsModule } from './client-configs/client-configs.module.js';
import { RegistryModule } from './registry/registry.module.js';
import { ProfilesModule } from './profiles/profiles.module.js';
import { ReleaseDiffsModule } from './release-diffs/release-diffs.module.js';
import { ServerMajorsModule } from './server-majors/server-majors.module.js';
import { DriftModule } from './drift/drift.module.js';
import { ReleaseSchedulesModule } from './release-schedules/release-schedules.module.js';
import { ReleasesModule } from './releases/releases.module.js';
import { RolloutsModule } from './rollouts/rollouts.module.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { ServerPeopleModule } from './server-people/server-people.module.js';
import { ServersModule } from './servers/servers.module.js';
import { SignupModule } from './signup/signup.module.js';
import { TenantDeletionModule } from './tenant-deletion/tenant-deletion.module.js';
import { TenantExportsModule } from './tenant-exports/tenant-exports.module.js';
import { TenantsModule } from './tenants/tenants.module.js';
import { UpstreamsModule } from './upstreams/upstreams.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

const ROOMS = [
  SignupModule,
  TenantsModule,
  CallerIdentityModule,
  TenantDeletionModule,
  TenantExportsModule,
  MembersModule,
  InvitationsModule,
  IdentityProvidersModule,
  ApiKeysModule,
  ClientsModule,
  ServersModule,
  ServerPeopleModule,
  ProfilesModule,
  ClientConfigsModule,
  RegistryModule,
  ReleasesModule,
  ReleaseDiffsModule,
  ServerMajorsModule,
  ProbesModule,
  DocumentsModule,
  RolloutsModule,
  DriftModule,
  ReleaseSchedulesModule,
  EnvironmentsModule,
  PromotionsModule,
  UpstreamsModule,
  ConnectAttemptsModule,
  MetricsSummaryModule,
  UsageModule,
  CallLimitsModule,
  PolicyTrialsModule,
  PoliciesModule,
  ApprovalsModule,
  SecretsModule,
  ConnectorsModule,
  OwnConnectionsModule,
  ArtefactsModule,
  AuditQueryModule,
  AuditProofsModule,
  AuditExportModule,
  ImportedAuditModule,
  WebhooksModule,
  OperatorsModule,
  OperatorAccountsModule,
  EmergencyKeysModule,
  OperatorSignInModule,
  OperatorPasswordModule,
  OperatorOwnModule,
  PlatformTenantsModule,
  PlatformOwnersModule,
  PlatformDeletionsModule,
  PlatformHoldsModule,
  PlatformLimitsModule,
  PlatformHealthModule,
  PlatformHomesModule,
  PlatformRuntimesModule,
  PlatformSessionsModule,
  PlatformBreakersModule,
  PlatformImportsModule,
  PlatformJobsModule,
  AnnouncementsModule,
  ImpersonationsModule,
  PlatformPlansModule,
  FeatureFlagsModule,
  PlatformFeatureFlagsModule,
  PlatformEgressModule,
  PlatformDataKeysModule,
  PlatformMasterKeysModule,
  PlatformSigningKeysModule,
  OpenApiDocumentModule,
];

/** The management API for tenants and the admin API for operators. */
@Module({})
export class AppModule {
  static holding(platform: Platform): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.holding(platform), ContractModule, IdempotencyModule, AccessModule, ...ROOMS],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_INTERCEPTOR, useClass: AnnounceInterceptor },
      ],
    };
  }
}

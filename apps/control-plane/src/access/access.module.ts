import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { AccessTokenStrategy } from '../credentials/access-token.strategy.js';
import { ApiKeyStrategy } from '../credentials/api-key.strategy.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { ImpersonationStrategy } from '../credentials/impersonation.strategy.js';
import { MaintenanceModule } from '../maintenance/maintenance.module.js';
import { OperatorKeyStrategy } from '../credentials/operator-key.strategy.js';
import { AccessGuard } from './access.guard.js';
import { CredentialTrials } from './credential-trials.js';
import { ManagementLimits } from './management-limits.js';
import { RefusalAudit } from './refusal-audit.js';

/** Who may call what. */
@Module({
  imports: [PassportModule, MaintenanceModule],
  providers: [
    CredentialsRepository,
    CredentialTrials,
    ManagementLimits,
    RefusalAudit,
    ApiKeyStrategy,
    AccessTokenStrategy,
    OperatorKeyStrategy,
    ImpersonationStrategy,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [ManagementLimits, RefusalAudit],
})
export class AccessModule {}

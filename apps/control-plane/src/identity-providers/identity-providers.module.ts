import { Module } from '@nestjs/common';
import { IdentityProvidersController } from './identity-providers.controller.js';
import { IdentityProvidersRepository } from './identity-providers.repository.js';
import { IdentityProvidersService } from './identity-providers.service.js';
import { ProviderCheck } from './provider-check.js';

/** The OpenID providers that a tenant's people sign in with. */
@Module({
  controllers: [IdentityProvidersController],
  providers: [IdentityProvidersService, IdentityProvidersRepository, ProviderCheck],
})
export class IdentityProvidersModule {}

import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  changeProvider,
  createProvider,
  deleteProvider,
  getProvider,
  listProviders,
} from './identity-providers.schema.js';
import { IdentityProvidersService } from './identity-providers.service.js';

/** The tenant's OpenID providers. */
@Controller('v1/identity-providers')
export class IdentityProvidersController {
  constructor(@Inject(IdentityProvidersService) private readonly providers: IdentityProvidersService) {}

  @Get()
  @RequirePermission('identity_providers.read')
  @Contract(listProviders)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listProviders>,
  ): Promise<AnswerOf<typeof listProviders>> {
    return this.providers.list(caller, query);
  }

  @Post()
  @RequirePermission('identity_providers.write')
  @Contract(createProvider)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createProvider>,
  ): Promise<AnswerOf<typeof createProvider>> {
    return this.providers.create(caller, body);
  }

  @Get(':provider')
  @RequirePermission('identity_providers.read')
  @Contract(getProvider)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getProvider>,
  ): Promise<AnswerOf<typeof getProvider>> {
    return this.providers.get(caller, params.provider);
  }

  @Patch(':provider')
  @RequirePermission('identity_providers.write')
  @Contract(changeProvider)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeProvider>,
  ): Promise<AnswerOf<typeof changeProvider>> {
    return this.providers.change(caller, input.params.provider, input);
  }

  @Delete(':provider')
  @RequirePermission('identity_providers.write')
  @Contract(deleteProvider)
  remove(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deleteProvider>): Promise<void> {
    return this.providers.remove(caller, input);
  }
}

import { expect, test } from '@jest/globals';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Public, RequirePermission } from '../access/permissions.js';
import { Contract, contract } from './contract.js';
import { ContractModule } from './contract.module.js';

const shape = contract({ summary: 'x', answer: { status: 204, means: 'done' } });

@Controller('forgotten')
class WithoutPermission {
  @Get()
  @Contract(shape)
  get(): void {}
}

@Controller('forgotten')
class WithoutContract {
  @Get(':id')
  @RequirePermission('tenant.read')
  get(): void {}
}

@Controller('forgotten')
class WithBoth {
  @Get()
  @RequirePermission('tenant.read')
  @Public('and public')
  @Contract(shape)
  get(): void {}
}

async function startWith(controller: Type): Promise<void> {
  @Module({ imports: [ContractModule], controllers: [controller] })
  class Application {}
  const compiled = await Test.createTestingModule({ imports: [Application] }).compile();
  await compiled.init();
}

test.each([
  ['without a permission', WithoutPermission, 'GET /forgotten must declare either @RequirePermission or @Public'],
  ['without a contract', WithoutContract, 'GET /forgotten/:id declares no @Contract'],
  ['that is both public and not', WithBoth, 'must declare either'],
])('a route %s keeps the service from starting', async (_, controller, sentence) => {
  await expect(startWith(controller)).rejects.toThrow(sentence);
});

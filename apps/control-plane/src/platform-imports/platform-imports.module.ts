import { Module } from '@nestjs/common';
import { PlatformImportsController } from './platform-imports.controller.js';
import { PlatformImportsRepository } from './platform-imports.repository.js';
import { PlatformImportsService } from './platform-imports.service.js';

/** Archives of tenants that operators bring in. */
@Module({
  controllers: [PlatformImportsController],
  providers: [PlatformImportsService, PlatformImportsRepository],
})
export class PlatformImportsModule {}

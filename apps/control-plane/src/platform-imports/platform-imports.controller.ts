import { Controller, Get, Inject, Post, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  beginImport,
  cancelImport,
  createImport,
  listImports,
  retryImport,
  showImport,
  uploadPart,
} from './platform-imports.schema.js';
import { PlatformImportsService } from './platform-imports.service.js';

/** Archives of tenants on their way in. */
@Controller('admin/v1/imports')
export class PlatformImportsController {
  constructor(@Inject(PlatformImportsService) private readonly imports: PlatformImportsService) {}

  @Post()
  @RequirePermission('platform.tenants.import')
  @Contract(createImport)
  create(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof createImport>,
  ): Promise<AnswerOf<typeof createImport>> {
    return this.imports.create(caller, body);
  }

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(listImports)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listImports>,
  ): Promise<AnswerOf<typeof listImports>> {
    return this.imports.list(caller, query);
  }

  @Get(':import')
  @RequirePermission('platform.tenants.read')
  @Contract(showImport)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showImport>,
  ): Promise<AnswerOf<typeof showImport>> {
    return this.imports.show(caller, params.import);
  }

  @Put(':import/parts/:number')
  @RequirePermission('platform.tenants.import')
  @Contract(uploadPart)
  upload(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof uploadPart>,
  ): Promise<AnswerOf<typeof uploadPart>> {
    return this.imports.upload(caller, { ...params, content: body.content });
  }

  @Post(':import/begin')
  @RequirePermission('platform.tenants.import')
  @Contract(beginImport)
  begin(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof beginImport>,
  ): Promise<AnswerOf<typeof beginImport>> {
    return this.imports.begin(caller, params.import, body);
  }

  @Post(':import/retry')
  @RequirePermission('platform.tenants.import')
  @Contract(retryImport)
  retry(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof retryImport>,
  ): Promise<AnswerOf<typeof retryImport>> {
    return this.imports.retry(caller, params.import, body);
  }

  @Post(':import/cancel')
  @RequirePermission('platform.tenants.import')
  @Contract(cancelImport)
  cancel(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof cancelImport>,
  ): Promise<AnswerOf<typeof cancelImport>> {
    return this.imports.cancel(caller, params.import, body.reason);
  }
}

import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  listJobs,
  listQueues,
  pauseQueue,
  resumeQueue,
  retryJob,
  retryJobs,
  retryMails,
} from './platform-jobs.schema.js';
import { PlatformJobsService } from './platform-jobs.service.js';

/** Operators' work on jobs. */
@Controller('admin/v1')
export class PlatformJobsController {
  constructor(@Inject(PlatformJobsService) private readonly jobs: PlatformJobsService) {}

  @Get('queues')
  @RequirePermission('platform.jobs.read')
  @Contract(listQueues)
  queues(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listQueues>,
  ): Promise<AnswerOf<typeof listQueues>> {
    return this.jobs.queues(caller, query);
  }

  @Post('queues/:queue/pause')
  @RequirePermission('platform.jobs.write')
  @Contract(pauseQueue)
  pause(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof pauseQueue>,
  ): Promise<void> {
    return this.jobs.switch(caller, params.queue, 'paused', body.reason);
  }

  @Post('queues/:queue/resume')
  @RequirePermission('platform.jobs.write')
  @Contract(resumeQueue)
  resume(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof resumeQueue>,
  ): Promise<void> {
    return this.jobs.switch(caller, params.queue, 'running', body.reason);
  }

  @Get('jobs')
  @RequirePermission('platform.jobs.read')
  @Contract(listJobs)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listJobs>,
  ): Promise<AnswerOf<typeof listJobs>> {
    return this.jobs.list(caller, query);
  }

  @Post('jobs/retry')
  @RequirePermission('platform.jobs.write')
  @Contract(retryJobs)
  retryAll(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof retryJobs>,
  ): Promise<AnswerOf<typeof retryJobs>> {
    return this.jobs.retryAll(caller, body);
  }

  @Post('jobs/:id/retry')
  @RequirePermission('platform.jobs.write')
  @Contract(retryJob)
  retry(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof retryJob>,
  ): Promise<AnswerOf<typeof retryJob>> {
    return this.jobs.retry(caller, params.id, body.reason);
  }

  @Post('mails/retry')
  @RequirePermission('platform.jobs.write')
  @Contract(retryMails)
  retryMails(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof retryMails>,
  ): Promise<AnswerOf<typeof retryMails>> {
    return this.jobs.retryMails(caller, body.reason);
  }
}

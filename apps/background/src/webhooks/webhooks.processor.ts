import { Processor } from '@nestjs/bullmq';
import { JobProcessor, WORKER_OPTIONS } from '../jobs/job-processor.js';

const CONCURRENCY = 48;

/** Works off the queue `webhooks`; most of its jobs wait for receivers. */
@Processor('webhooks', { ...WORKER_OPTIONS, concurrency: CONCURRENCY })
export class WebhooksProcessor extends JobProcessor {}

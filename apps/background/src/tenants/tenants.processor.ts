import { Processor } from '@nestjs/bullmq';
import { JobProcessor, WORKER_OPTIONS } from '../jobs/job-processor.js';

/** Works off the queue `tenants`. */
@Processor('tenants', WORKER_OPTIONS)
export class TenantsProcessor extends JobProcessor {}

import { Processor } from '@nestjs/bullmq';
import { JobProcessor, WORKER_OPTIONS } from '../jobs/job-processor.js';

/** Works off the queue `drift`. */
@Processor('drift', WORKER_OPTIONS)
export class DriftProcessor extends JobProcessor {}

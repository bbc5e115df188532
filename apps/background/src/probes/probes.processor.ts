import { Processor } from '@nestjs/bullmq';
import { JobProcessor, WORKER_OPTIONS } from '../jobs/job-processor.js';

/** Works off the queue `probes`. */
@Processor('probes', WORKER_OPTIONS)
export class ProbesProcessor extends JobProcessor {}

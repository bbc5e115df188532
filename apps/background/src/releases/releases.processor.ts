import { Processor } from '@nestjs/bullmq';
import { JobProcessor, WORKER_OPTIONS } from '../jobs/job-processor.js';

/** Works off the queue `releases`. */
@Processor('releases', WORKER_OPTIONS)
export class ReleasesProcessor extends JobProcessor {}

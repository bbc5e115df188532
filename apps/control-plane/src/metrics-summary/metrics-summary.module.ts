import { Module } from '@nestjs/common';
import { MetricsSummaryController } from './metrics-summary.controller.js';
import { MetricsSummaryRepository } from './metrics-summary.repository.js';
import { MetricsSummaryService } from './metrics-summary.service.js';

/** What a tenant's calls add up to. */
@Module({ controllers: [MetricsSummaryController], providers: [MetricsSummaryService, MetricsSummaryRepository] })
export class MetricsSummaryModule {}

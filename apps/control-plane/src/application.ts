import 'reflect-metadata';
import type { RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { AppModule } from './app.module.js';
import { RouteRegistry, type Route } from './contract/route-registry.js';
import { observed } from './edge/observe.js';
import type { Platform } from './platform/platform.module.js';

/** The assembled application; it listens nowhere by itself. */
export interface Application {
  readonly listener: RequestListener;
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

/** Assembles the API on what is open. @throws UndeclaredRouteError when a route does not say who may call it. */
export async function assemble(platform: Platform): Promise<Application> {
  const instance = express();
  instance.disable('x-powered-by');
  instance.disable('etag');
  // What stands before us sends paths here as they are written; another way of writing one is nobody's.
  instance.enable('case sensitive routing');
  const application = await NestFactory.create(AppModule.holding(platform), new ExpressAdapter(instance), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await application.init();
  return {
    listener: observed(instance, { logger: platform.logger, trustProxy: platform.config.WHARF_TRUST_PROXY }),
    routes: application.get(RouteRegistry).routes(),
    close: () => application.close(),
  };
}

import { Global, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule } from '@nestjs/core';
import { AnswerHeadersInterceptor } from './answer-headers.interceptor.js';
import { InputInterceptor } from './input.interceptor.js';
import { RouteRegistry } from './route-registry.js';

/** Routes declare what they take, answer and require; a route that does not keeps the service from starting. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    RouteRegistry,
    { provide: APP_INTERCEPTOR, useClass: InputInterceptor },
    { provide: APP_INTERCEPTOR, useClass: AnswerHeadersInterceptor },
  ],
  exports: [RouteRegistry],
})
export class ContractModule implements OnApplicationBootstrap {
  constructor(@Inject(RouteRegistry) private readonly registry: RouteRegistry) {}

  onApplicationBootstrap(): void {
    this.registry.routes();
  }
}

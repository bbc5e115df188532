import { Module } from '@nestjs/common';
import { OperatorOrders } from './operator-orders.service.js';

/** What operators have done outside the database. */
@Module({ providers: [OperatorOrders], exports: [OperatorOrders] })
export class OperatorOrdersModule {}

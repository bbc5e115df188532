import { Module } from '@nestjs/common';
import { OperatorOrders } from './operator-orders.service.js';
import { OrderTurns } from './order-turns.js';

/** What operators have done outside the database. */
@Module({ providers: [OperatorOrders, OrderTurns], exports: [OperatorOrders, OrderTurns] })
export class OperatorOrdersModule {}

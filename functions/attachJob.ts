import { app } from '@azure/functions';
import { JOB_POISON_QUEUE, JOB_QUEUE } from '../shared/jobs/jobQueue.ts';
import type { Service } from '../shared/service.ts';

/**
 * The workers of jobs: one for their messages, and one for those that the host has given up after their worker broke off again
 * and again. Not registered where the app runs no jobs: a host without the queue trigger would report a fault at each start.
 */
export function registerAttachJob({ runJob }: Pick<Service, 'runJob'>): void {
  if (runJob === undefined) return;
  const connection = 'AzureWebJobsStorage';
  app.storageQueue('attachJob', {
    queueName: JOB_QUEUE,
    connection,
    handler: (message, context) => runJob(message, 'wakeUp', context),
  });
  app.storageQueue('attachJobPoison', {
    queueName: JOB_POISON_QUEUE,
    connection,
    handler: (message, context) => runJob(message, 'poison', context),
  });
}

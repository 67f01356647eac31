/** The clients of the storage account, apart from the rest of the app: loaded when the first record is read or written. */
export { ContainerClient } from '@azure/storage-blob';
export { QueueClient } from '@azure/storage-queue';

/** The client of the blob store, apart from the rest of the app: loaded when the first record is read or written. */
export { ContainerClient } from '@azure/storage-blob';

import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { UPLOAD_CONTAINER } from '../../shared/storage/blobContainer.ts';

/** The container of records as a reader of the storage account sees it. */
export function openContainer(connectionString: string): ContainerClient {
  return BlobServiceClient.fromConnectionString(connectionString).getContainerClient(UPLOAD_CONTAINER);
}

/** Names and bytes of everything in the account's blobs, one text after another, for a search through them. */
export async function readWholeStore(connectionString: string): Promise<string> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const texts: string[] = [];
  for await (const { name: containerName } of service.listContainers()) {
    const container = service.getContainerClient(containerName);
    for await (const { name, metadata } of container.listBlobsFlat({ includeMetadata: true })) {
      const bytes = await container.getBlobClient(name).downloadToBuffer();
      texts.push(containerName, name, JSON.stringify(metadata), bytes.toString('latin1'));
    }
  }
  return texts.join('\n');
}

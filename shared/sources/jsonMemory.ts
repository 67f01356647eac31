import { JSON_MEMORY_RETRY_AFTER_SECONDS, MAX_JSON_BYTES_HELD } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';

/** Counts the bytes that requests with a file in JSON hold in this instance: of its decoded file, from its arrival to the end of the request. */
export interface JsonMemory {
  /** Nothing is held at first. */
  open(): JsonReservation;
}

/** What one request holds. */
export interface JsonReservation {
  /**
   * @param bytes all that the request holds by now
   * @throws ServiceError InstanceBusy where all requests together would hold more than the limit
   */
  grow(bytes: number): void;
  /** The request has ended. To be called once, on every path. */
  release(): void;
}

export function createJsonMemory(limitBytes = MAX_JSON_BYTES_HELD): JsonMemory {
  let allBytes = 0;
  return {
    open() {
      let heldBytes = 0;
      return {
        grow(bytes) {
          if (allBytes - heldBytes + bytes > limitBytes) throw busy(limitBytes);
          allBytes += bytes - heldBytes;
          heldBytes = bytes;
        },
        release() {
          allBytes -= heldBytes;
          heldBytes = 0;
        },
      };
    },
  };
}

function busy(limitBytes: number): ServiceError {
  const seconds = JSON_MEMORY_RETRY_AFTER_SECONDS;
  const message = `This instance has files in JSON of ${limitBytes} bytes in work, and takes no more at once. Send the request again after ${seconds} seconds, or send the file as bytes.`;
  return new ServiceError('InstanceBusy', message, { headers: { 'retry-after': String(seconds) } });
}

/** Settles as `work` does, or rejects with the fault where that takes longer than `limitMs`. */
export async function withIdleTimeout<T>(work: Promise<T>, limitMs: number, fault: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fault()), limitMs);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

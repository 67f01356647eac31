import { PieceBuffer } from '../../../shared/transfer/pieceBuffer.ts';

const signal = new AbortController().signal;

/** What the stream gives from now on, as one text. */
function collect(piece: PieceBuffer): { text: () => string; isOver: () => boolean } {
  const stream = piece.stream(() => {});
  let text = '';
  let isOver = false;
  stream.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  stream.once('end', () => {
    isOver = true;
  });
  return { text: () => text, isOver: () => isOver };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('PieceBuffer', () => {
  it('gives each stream the whole, from its beginning, whenever it begins', async () => {
    const piece = new PieceBuffer(6);
    piece.push(Buffer.from('ab'));
    const early = collect(piece);
    await turns();
    piece.push(Buffer.from('cd'));
    piece.push(Buffer.from('ef'));
    piece.release();
    const late = collect(piece);
    await turns();

    expect([early.text(), early.isOver(), late.text(), late.isOver()]).toEqual(['abcdef', true, 'abcdef', true]);
  });

  it('holds its last bytes back until it is released, whatever has come', async () => {
    const piece = new PieceBuffer(40_000);
    const sent = collect(piece);
    piece.push(Buffer.alloc(30_000, 'a'));
    await turns();
    const early = sent.text().length;
    expect(early).toBeGreaterThan(0);
    piece.push(Buffer.alloc(10_000, 'b'));
    await turns();
    expect([sent.text().length < 40_000, sent.isOver(), piece.missingBytes]).toEqual([true, false, 0]);

    piece.release();
    await turns();

    expect([sent.text(), sent.isOver()]).toEqual(['a'.repeat(30_000) + 'b'.repeat(10_000), true]);
  });

  it('wakes nobody who has gone', async () => {
    const piece = new PieceBuffer(2);
    const taken = jest.fn();
    const stream = piece.stream(taken);
    stream.resume();
    await turns();
    stream.destroy();
    piece.push(Buffer.from('a'));
    await turns();

    expect(taken).not.toHaveBeenCalled();
  });

  it('gives its memory to the next piece where one attempt has read it, and to none where there were more', async () => {
    const memoryOf = async (attempts: number): Promise<ArrayBufferLike> => {
      const piece = new PieceBuffer(2);
      piece.push(Buffer.from('ab'));
      piece.release();
      const buffers: ArrayBufferLike[] = [];
      for (let n = 0; n < attempts; n += 1) {
        piece.stream(() => {}).on('data', ({ buffer }: Buffer) => buffers.push(buffer));
        await turns();
      }
      piece.free();
      return buffers[0] ?? new ArrayBuffer(0);
    };

    const once = await memoryOf(1);
    const twice = await memoryOf(2);
    const next = await memoryOf(1);

    expect(twice).toBe(once);
    expect(next).not.toBe(twice);
  });

  it('says when so many bytes are there, and ends the wait with its signal', async () => {
    const piece = new PieceBuffer(4);
    let isThere = false;
    const wait = piece.untilFilled(3, signal).then(() => {
      isThere = true;
    });
    piece.push(Buffer.from('ab'));
    await turns();
    expect(isThere).toBe(false);
    piece.push(Buffer.from('c'));
    await wait;

    await expect(piece.untilFilled(4, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });
});

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

  it('holds back the chunk that would make it whole until it is released', async () => {
    const piece = new PieceBuffer(4);
    const sent = collect(piece);
    piece.push(Buffer.from('abc'));
    await turns();
    expect(sent.text()).toBe('abc');
    piece.push(Buffer.from('d'));
    await turns();
    expect([sent.text(), sent.isOver(), piece.missingBytes]).toEqual(['abc', false, 0]);

    piece.release();
    await turns();

    expect([sent.text(), sent.isOver()]).toEqual(['abcd', true]);
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

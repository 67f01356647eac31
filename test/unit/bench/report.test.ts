import { renderReport } from '../../../bench/report.ts';
import { atLeast, atMost, type Row } from '../../../bench/row.ts';

const ROW: Row = {
  title: 'load',
  unit: 'ms',
  digits: 0,
  product: [30, 10, 20],
  peer: 'hello-world',
  peerValues: [10, 10, 10],
  comparison: 'ratio',
  target: undefined,
};

function cellsOf(row: Row): string[] {
  const line = renderReport([row], ['Node: v22']).trimEnd().split('\n').at(-1) ?? '';
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe('the report of the benchmark', () => {
  it('shows medians, the range of the rounds and the ratio to the peer', () => {
    expect(cellsOf(ROW)).toEqual(['load, ms', '20 (10–30)', 'hello-world', '10 (10–10)', '2.00x', '', '']);
  });

  it.each([
    [atMost(2), '≤ 2.00x', 'yes'],
    [atMost(1.99), '≤ 1.99x', '**no**'],
    [atLeast(2), '≥ 2.00x', 'yes'],
    [atLeast(2.01), '≥ 2.01x', '**no**'],
  ])('says whether the target %j is met', (target, text, met) => {
    expect(cellsOf({ ...ROW, target }).slice(-2)).toEqual([text, met]);
  });

  it('shows a difference with its sign and unit', () => {
    const row: Row = { ...ROW, unit: 'MiB', comparison: 'difference', target: atMost(128) };

    expect(cellsOf(row).slice(-3)).toEqual(['+10 MiB', '≤ +128 MiB', 'yes']);
  });

  it('does not count a target as met if there are no values', () => {
    expect(cellsOf({ ...ROW, product: [], target: atMost(2) }).at(-1)).toBe('**no**');
  });

  it('names the run', () => {
    expect(renderReport([ROW], ['Node: v22'])).toContain('- Node: v22');
  });
});

const BAR_WIDTH = 40;
/** Of a file or a pipe, which gets a line for each step of the bar. */
const STEP = 0.25;

/** Shows how far a file is. A terminal sees one bar that grows. */
export function createProgressBar(totalBytes: number): (sentBytes: number) => void {
  let shown = -STEP;
  return (sentBytes) => {
    const share = totalBytes === 0 ? 1 : sentBytes / totalBytes;
    const isEnd = share >= 1 && shown < 1;
    if (!isEnd && share - shown < (process.stdout.isTTY ? 0.01 : STEP)) return;
    shown = share;
    const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
    const line = `${bar} ${Math.round(share * 100)} %  ${sentBytes} of ${totalBytes} bytes`;
    process.stdout.write(process.stdout.isTTY ? `\r${line}${isEnd ? '\n' : ''}` : `${line}\n`);
  };
}

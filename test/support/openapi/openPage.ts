import puppeteer, { type Page } from 'puppeteer-core';

// Opens a page of the viewer in headless Chromium, clicks on an operation and waits for one of its fields. Prints what a
// person read before and after, every request, and whatever the browser complained of, as JSON.
// Arguments: Chromium's path, the page's address, the operation's summary, the field's name, a file for the screenshot.

const [, , executablePath = '', address = '', summary = '', field = '', screenshot = ''] = process.argv;
const SHOWN_TEXT = `(function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (['STYLE', 'SCRIPT', 'NOSCRIPT'].includes(node.nodeName)) return '';
  return [...(node.shadowRoot ?? node).childNodes].map(textOf).join(' ');
})(document.body)`;

const browser = await puppeteer.launch({
  executablePath,
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  ],
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 1600 });
  const requests: { url: string; status?: number }[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push({ url: request.url() }));
  page.on('response', (response) => requests.push({ url: response.url(), status: response.status() }));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  const overview = await waitForText(page, summary);
  await page.locator(`::-p-text(${summary})`).click();
  const operation = await waitForText(page, field);
  await page.screenshot({ path: screenshot });
  console.log(JSON.stringify({ overview, operation, requests, complaints }));
} finally {
  await browser.close();
}

/** The text of the page, once it holds this one; the viewer's is in the shadow trees of its elements. */
async function waitForText(page: Page, text: string): Promise<string> {
  await page.locator(`::-p-text(${text})`).setTimeout(20_000).wait();
  return String(await page.evaluate(SHOWN_TEXT));
}

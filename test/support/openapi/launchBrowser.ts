import puppeteer, { type Browser, type Page } from 'puppeteer-core';

/** Headless Chromium that finds no host but this machine. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return puppeteer.launch({
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
}

export interface Watched {
  readonly page: Page;
  readonly requests: readonly { readonly url: string; readonly status?: number }[];
  /** Whatever the browser complained of. */
  readonly complaints: readonly string[];
}

export async function openWatchedPage(browser: Browser): Promise<Watched> {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 1600 });
  const requests: { url: string; status?: number }[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push({ url: request.url() }));
  page.on('response', (response) => requests.push({ url: response.url(), status: response.status() }));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { page, requests, complaints };
}

const SHOWN_TEXT = `(function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (['STYLE', 'SCRIPT', 'NOSCRIPT'].includes(node.nodeName)) return '';
  return [...(node.shadowRoot ?? node).childNodes].map(textOf).join(' ');
})(document.body)`;

/** The text of the page, once it holds this one; the viewer's is in the shadow trees of its elements. */
export async function waitForText(page: Page, text: string): Promise<string> {
  await page.locator(`::-p-text(${text})`).setTimeout(20_000).wait();
  return String(await page.evaluate(SHOWN_TEXT));
}

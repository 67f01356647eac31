import { launchBrowser, openWatchedPage, waitForText } from './launchBrowser.ts';

// Opens a page of the viewer in headless Chromium, clicks on an operation and waits for one of its fields. Prints what a
// person read before and after, every request, and whatever the browser complained of, as JSON.
// Arguments: Chromium's path, the page's address, the operation's summary, the field's name, a file for the screenshot.

const [, , executablePath = '', address = '', summary = '', field = '', screenshot = ''] = process.argv;
const browser = await launchBrowser(executablePath);
try {
  const { page, requests, complaints } = await openWatchedPage(browser);
  await page.goto(address);
  const overview = await waitForText(page, summary);
  await page.locator(`::-p-text(${summary})`).click();
  const operation = await waitForText(page, field);
  await page.screenshot({ path: screenshot });
  console.log(JSON.stringify({ overview, operation, requests, complaints }));
} finally {
  await browser.close();
}

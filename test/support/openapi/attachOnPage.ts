import { launchBrowser, openWatchedPage, waitForText } from './launchBrowser.ts';

// Attaches a file on the page of the viewer in headless Chromium, as a person would: picks the operation and the file, fills in
// the parameters, and executes. Prints what a person read then, every request, and whatever the browser complained of, as JSON.
// Arguments: Chromium's path, the page's address, the operation's summary, the file, a file for the screenshot, and parameters
// as name=value.

const [, , executablePath = '', address = '', summary = '', file = '', screenshot = '', ...parameters] = process.argv;
const browser = await launchBrowser(executablePath);
try {
  const { page, requests, complaints } = await openWatchedPage(browser);
  await page.goto(address);
  await waitForText(page, summary);
  await page.locator(`::-p-text(${summary})`).click();
  const picker = await page.waitForSelector('>>> input[type="file"]');
  await picker?.uploadFile(file);
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split(/=(.*)/s);
    await page.locator(`>>> input[data-pname="${name}"]`).fill(value);
  }
  await page.locator('>>> button.btn-execute').click();
  const answer = await waitForText(page, 'Response Status');
  await page.screenshot({ path: screenshot });
  console.log(JSON.stringify({ answer, requests, complaints }));
} finally {
  await browser.close();
}

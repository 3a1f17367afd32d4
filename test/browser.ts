// A real Chromium in front of the exporter's pages, and what it says: messages in its console, errors, and requests.
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Scope } from './harness.ts';

export interface Tab {
  readonly page: Page;
  /** Messages of console and errors, in the order in which they came. */
  readonly said: string[];
  /** Bytes that answers took, heads not included. */
  received: number;
  readonly requests: string[];
}

/** Starts a browser. It gives tabs, each as another reader's: nothing is shared between them. */
export async function startBrowser(t: Scope, executablePath: string) {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
  const browser = await chromium.launch({ executablePath, args });
  t.after(() => browser.close());
  return async (options: BrowserContextOptions = {}): Promise<Tab> => {
    const page = await (await browser.newContext(options)).newPage();
    const tab: Tab = { page, said: [], received: 0, requests: [] };
    page.on('dialog', (dialog) => void dialog.dismiss().then(() => tab.said.push(dialog.message())));
    page.on('console', (message) => tab.said.push(message.text()));
    page.on('pageerror', (error) => tab.said.push(error.message));
    page.on('request', (request) => tab.requests.push(request.url()));
    page.on('response', (response) => {
      tab.received += Number(response.headers()['content-length'] ?? 0);
    });
    return tab;
  };
}

/** Waits until the program of the page has taken its place. */
export const live = (page: Page) => page.locator('.live main').waitFor({ timeout: 60_000 });

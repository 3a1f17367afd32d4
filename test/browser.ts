// A real Chromium in front of the exporter's pages, and what it says: messages in its console, errors, and requests.
import { writeFileSync } from 'node:fs';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type Scope, scratch } from './harness.ts';

export interface Tab {
  readonly page: Page;
  /** Messages of console and errors, in the order in which they came. */
  readonly said: string[];
  /** Bytes that answers took, heads not included. */
  received: number;
  readonly requests: string[];
}

/**
 * A command that runs another one before all others of a busy machine: what is measured then is the program. The kernel
 * shares a CPU among sessions first (sched(7), autogroup), so the nice value of the process alone would say little.
 */
export const URGENT = ['sh', '-c', 'echo -20 > /proc/self/autogroup; exec nice -n -15 "$@"', 'sh'];

/**
 * Starts a browser. It gives tabs, each as another reader's: nothing is shared between them.
 * @param priority of its session: -20 goes before all others, and 0 is usual
 */
export async function startBrowser(t: Scope, program: string, priority = 0) {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
  const executablePath = `${scratch()}/browser`;
  const session = priority === 0 ? '' : `echo ${priority} > /proc/self/autogroup`;
  writeFileSync(executablePath, `#!/bin/sh\n${session}\nexec ${program} "$@"\n`, { mode: 0o755 });
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

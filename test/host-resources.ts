// Huge pages and swap that a test gives the host and takes back, and the kernel's own numbers of them.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { scratch } from './harness.ts';

const MIB = 2 ** 20;

/** A number of /proc/meminfo, or of status of a process. */
export const numberIn = (path: string, key: string): number =>
  Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(path, 'latin1'))![1]);

const PAGES = '/proc/sys/vm/nr_hugepages';
const addHugePages = (pages: number): void =>
  writeFileSync(PAGES, String(Math.max(0, Number(readFileSync(PAGES, 'latin1')) + pages)));

/** Gives the host more huge pages of 2 MiB until the test ends. @param pages how many more */
export function reserveHugePages(t: TestContext, pages: number): boolean {
  if (numberIn('/proc/meminfo', 'Hugepagesize') !== 2048) {
    t.skip('huge pages of this host are not of 2 MiB');
    return false;
  }
  t.after(() => addHugePages(-pages));
  addHugePages(pages);
  if (numberIn('/proc/meminfo', 'HugePages_Free') >= pages) return true;
  t.skip(`the host has no memory for ${pages} huge pages`);
  return false;
}

export const hugePagesInUse = (): number =>
  (numberIn('/proc/meminfo', 'HugePages_Total') - numberIn('/proc/meminfo', 'HugePages_Free')) * 2 * MIB;

/** Gives the host a swap file of so many MiB until the test ends. */
export function addSwap(t: TestContext, mib: number): boolean {
  const file = `${scratch()}/swap`;
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${mib}`, 'status=none']);
    execFileSync('chmod', ['600', file]);
    execFileSync('mkswap', [file], { stdio: 'pipe' });
    execFileSync('swapon', [file], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`this host takes no swap file in ${file}: ${(error as Error).message}`);
    return false;
  }
  t.after(() => void execFileSync('swapoff', [file]));
  return true;
}

export const swapInUse = (): number =>
  (numberIn('/proc/meminfo', 'SwapTotal') - numberIn('/proc/meminfo', 'SwapFree')) * 1024;

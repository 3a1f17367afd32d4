// A terminal for the end-to-end tests: tmux, which shows what a person would see. A test types keys, changes the size of the
// window and reads the screen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { eventually, type Scope, scratch } from './harness.ts';

export class Terminal {
  readonly #tmux: string;
  readonly #folder = scratch();

  /** @param command for sh; when it has ended the terminal stays, and its last line begins with "ended" and the status */
  constructor(
    t: Scope,
    tmux: string,
    command: string,
    { width = 80, height = 24, env = {} as Record<string, string> } = {},
  ) {
    this.#tmux = tmux;
    const script = `${this.#folder}/script`;
    const { before, after } = this.modes;
    writeFileSync(
      script,
      `stty -g > ${before}\n${command}\nstatus=$?\nstty -g > ${after}\necho ended $status\nexec cat\n`,
    );
    t.after(() => {
      try {
        this.#run('kill-server');
      } catch {} // it has ended
    });
    const all = { PATH: process.env.PATH, HOME: this.#folder, LC_ALL: 'C.UTF-8', ...env } as NodeJS.ProcessEnv;
    const variables = Object.entries(all).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const start = ['new-session', '-d', '-x', String(width), '-y', String(height), ...variables, `sh ${script}`];
    execFileSync(tmux, [...this.#socket, '-f', '/dev/null', ...start], { env: all });
  }

  /** Files with the modes of the terminal before and after the command, as stty(1) writes them. */
  get modes() {
    return { before: `${this.#folder}/before`, after: `${this.#folder}/after` };
  }

  get #socket(): string[] {
    return ['-S', `${this.#folder}/socket`];
  }

  #run(...args: string[]): string {
    return execFileSync(this.#tmux, [...this.#socket, ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
  }

  /** @param keys as tmux names them: "Down", "Enter", or letters */
  type(...keys: string[]): void {
    this.#run('send-keys', ...keys);
  }

  resize(width: number, height: number): void {
    this.#run('resize-window', '-x', String(width), '-y', String(height));
  }

  /** The lines of the screen, without spaces at their ends. */
  get lines(): string[] {
    return this.#run('capture-pane', '-p').split('\n').slice(0, -1);
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** The screen with its escape sequences. */
  get painted(): string {
    return this.#run('capture-pane', '-p', '-e');
  }

  /** What a program may leave behind: "0 1 1" is the first screen, a cursor, and line wrapping. */
  get state(): string {
    return this.#run('display-message', '-p', '#{alternate_on} #{cursor_flag} #{wrap_flag}').trim();
  }

  /** Processes that run in it. */
  get pid(): number {
    return Number(this.#run('display-message', '-p', '#{pane_pid}'));
  }

  /** Waits until the screen matches. */
  shows(what: RegExp, timeoutMs = 60_000): Promise<void> {
    return eventually(() => assert.match(this.text, what), timeoutMs, 50);
  }
}

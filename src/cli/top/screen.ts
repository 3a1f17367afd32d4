// The terminal while `top` has it: its second screen, without cursor and without line wrapping, keys one by one. Whatever ends
// the program, except SIGKILL, the terminal is as it was: the exit of the process runs close(), and an error that nobody
// caught is printed after it.
import { writeAtOnce } from '../output.ts';
import { inputKeys, onResize, outputSize } from '../terminal.ts';
import type { Size } from './frame.ts';

/** console_codes(4), and xterm's private modes: 1049 is the second screen, 25 the cursor, 7 line wrapping. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Where the terminal knows it (mode 2026), it shows what stands between the two at once. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

export interface Events {
  keys(text: string): void;
  /** Another size, or the terminal is there again: everything has to be drawn. */
  resized(): void;
  /** Why the program has to end. */
  ended(): void;
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Screen {
  /** The lines as they stand on the terminal. */
  #drawn: readonly string[] = [];
  #closed = false;
  readonly #events: Events;
  readonly #stopInput: () => void;
  readonly #stopResize: () => void;
  readonly #close = () => this.close();
  readonly #ended = () => this.#events.ended();

  constructor(events: Events) {
    this.#events = events;
    process.on('exit', this.#close);
    process.on('uncaughtExceptionMonitor', this.#close);
    for (const signal of ENDING) process.on(signal, this.#ended);
    this.#stopInput = inputKeys(
      (text) => events.keys(text),
      () => events.ended(),
    );
    this.#stopResize = onResize(() => {
      this.redraw();
      events.resized();
    });
    this.#write(ENTER);
  }

  get size(): Size {
    return outputSize();
  }

  /** Draws the lines that have changed. They are as many as the screen has, and none is wider. */
  draw(lines: readonly string[]): void {
    const changed = lines.flatMap((line, row) =>
      line === this.#drawn[row] ? [] : [`\x1b[${row + 1};1H\x1b[0m\x1b[2K${line}`],
    );
    this.#drawn = lines;
    if (changed.length > 0) this.#write(`${BEGIN}${changed.join('')}\x1b[0m${END}`);
  }

  /** The next picture is drawn as a whole. */
  redraw(): void {
    this.#drawn = [];
    this.#write('\x1b[2J');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#close);
    process.off('uncaughtExceptionMonitor', this.#close);
    for (const signal of ENDING) process.off(signal, this.#ended);
    this.#stopResize();
    this.#stopInput();
    writeAtOnce(LEAVE);
  }

  #write(text: string): void {
    if (!this.#closed && !writeAtOnce(text)) this.#events.ended();
  }
}

// top: subgroups, processes and one process on the terminal, as the running exporter knows them, else as an exporter inside
// this program does. Where standard output is no terminal, the same once, as plain text.

import { setTimeout as pause } from 'node:timers/promises';
import { longestGapOf } from '../../agent/settings.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { HostApi } from '../exporter/host-api.ts';
import { askRunning, sourceLine } from '../exporter/running.ts';
import { loadSetup, sourcesOf } from '../load-host.ts';
import { isInteractive, outputHasColours, outputIsUnicode, type Paint, painter } from '../terminal.ts';
import type { GivenSettings, Outcome } from '../verb.ts';
import { ASCII_ONLY, UNICODE } from './chart.ts';
import { Feed } from './feed.ts';
import { frameOf, plainOf, type ScreenData, type ScreenFrame } from './frame.ts';
import { parseKeys } from './keys.ts';
import { asciiOf, paintLine } from './line.ts';
import { begin, type Navigation, press } from './navigation.ts';
import { Screen } from './screen.ts';
import type { TopGiven } from './verb.ts';

/** From one question to the next, milliseconds. An exporter that has nothing new says so in a few bytes. */
const EVERY_MS = 1000;
/** Longest time from one collection of its own to the next, seconds: cheap, because reading PSS has its own budget. */
const OWN_INTERVAL = 5;
/** The rest of a key that has begun comes within this time, milliseconds. */
const REST_MS = 50;
const BEGUN = /\x1b(?:\[[0-?]*|O)?$/;
/** Cells of a line of plain text. */
const PLAIN_WIDTH = 100;

export async function top(settings: GivenSettings, { url, sort }: TopGiven): Promise<Outcome> {
  if (!isInteractive()) {
    const { feed, source, end } = await connect(settings, url);
    await feed.refresh(begin(sort).place);
    end();
    const paint = paintOf(false);
    const lines = [...plainOf(feed.data, begin(sort), PLAIN_WIDTH, lettersOf()), [], [escapeForTerminal(source)]];
    return { output: `${lines.map((line) => paintLine(line, Number.POSITIVE_INFINITY, paint)).join('\n')}\n` };
  }
  const view = new View(begin(sort));
  try {
    // Neither a collection nor a question without an answer holds the user who wants to end.
    const connection = await Promise.race([connect(settings, url), view.ended]);
    if (connection) await Promise.race([view.show(connection.feed), view.ended]);
    connection?.end();
  } finally {
    view.close();
  }
  return {};
}

const lettersOf = () => (outputIsUnicode() ? UNICODE : ASCII_ONLY);

/** Makes texts of those that the terminal can show. */
function paintOf(colours: boolean): Paint {
  const paint = painter(colours);
  return outputIsUnicode() ? paint : (style, text) => paint(style, asciiOf(text));
}

interface Connection {
  readonly feed: Feed;
  /** Who answers, or why this program collects. */
  readonly source: string;
  readonly end: () => void;
}

/** The running exporter; where none answers, one inside this program. @throws VerbError where that cannot collect either */
async function connect(settings: GivenSettings, url: string | undefined): Promise<Connection> {
  const setup = await loadSetup(sourcesOf(settings));
  const said = await askRunning(setup.config, settings, url, (client) => new HostApi(client).ask('host', 'host'));
  const source = sourceLine(said);
  if ('client' in said) return { feed: new Feed(new HostApi(said.client), said.client.address), source, end: () => {} };
  const { OwnAgent } = await import('../exporter/own-agent.ts');
  const interval = Math.min(longestGapOf(setup.config), OWN_INTERVAL);
  const own = await OwnAgent.collected({ ...setup, config: { ...setup.config, interval } });
  own.start();
  return { feed: new Feed(new HostApi(own), 'own collection'), source, end: () => own.stop() };
}

/** The screen and the state that keys change. */
class View {
  readonly #paint = paintOf(outputHasColours());
  readonly #letters = lettersOf();
  readonly #screen: Screen;
  #state: Navigation;
  #feed: Feed | undefined;
  #frame: ScreenFrame | undefined;
  /** Ends the wait for the next question. */
  #wake = () => {};
  readonly ended: Promise<undefined>;
  #end = () => {};
  /** What the terminal sent of a key so far, and what gives it up as a key of its own. */
  #begun = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(state: Navigation) {
    this.#state = state;
    this.ended = new Promise((resolve) => {
      this.#end = () => resolve(undefined);
    });
    this.#screen = new Screen({
      keys: (text) => this.#received(text),
      resized: () => this.#draw(),
      ended: () => this.#end(),
    });
    this.#draw();
  }

  /** Until the user ends it. */
  async show(feed: Feed): Promise<void> {
    this.#feed = feed;
    for (;;) {
      const { place } = this.#state;
      await feed.refresh(place);
      this.#draw();
      if (
        place.view !== this.#state.place.view ||
        place.pid !== this.#state.place.pid ||
        place.of !== this.#state.place.of
      )
        continue;
      const waiting = new AbortController();
      this.#wake = () => waiting.abort();
      await pause(EVERY_MS, undefined, { signal: waiting.signal }).catch(() => {});
    }
  }

  close(): void {
    this.#screen.close();
  }

  /** A special key may come in two parts over a slow connection; the escape key alone looks like the first part of one. */
  #received(text: string): void {
    clearTimeout(this.#timer);
    const all = this.#begun + text;
    this.#begun = BEGUN.exec(all)?.[0] ?? '';
    this.#pressed(all.slice(0, all.length - this.#begun.length));
    if (this.#begun === '') return;
    this.#timer = setTimeout(() => {
      const alone = this.#begun;
      this.#begun = '';
      this.#pressed(alone);
    }, REST_MS);
  }

  #pressed(text: string): void {
    for (const key of parseKeys(text)) {
      const before = this.#state.place;
      if ('special' in key && key.special === 'refresh') this.#screen.redraw();
      this.#state = press(this.#state, key, this.#frame ?? { rows: [], page: 1, orders: {} });
      const { place } = this.#state;
      if (place.view !== before.view || place.of !== before.of || place.pid !== before.pid) {
        this.#feed?.leave();
        this.#wake();
      }
      this.#draw();
    }
    if (this.#state.ended) this.#end();
  }

  #draw(): void {
    const { size } = this.#screen;
    this.#frame = frameOf(this.#feed?.data ?? NOTHING_YET, this.#state, size, this.#letters);
    this.#screen.draw(this.#frame.lines.map((line) => paintLine(line, size.width, this.#paint)));
  }
}

const NOTHING_YET: ScreenData = {
  host: undefined,
  hour: new Map(),
  sinceAnswer: 0,
  source: 'the exporter; where none runs, this program collects',
  failure: undefined,
};

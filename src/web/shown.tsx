// How single values stand on the page: names, which are hostile input, links between places, bytes with their mark of an
// estimate, and words with their explanation.
import type { ComponentChildren } from 'preact';
import { replaceHostile } from '../text/hostile.ts';
import { formatBytes } from '../text/units.ts';
import { go, linkTo, type Place } from './place.ts';

/** Foreign text with its hostile characters made visible. */
export const visible = (text: string): string => replaceHostile(text, () => '\ufffd');

/** Length from which a narrow column may cut a text: pointing at it shows the whole. */
const LONG = 16;

/** Foreign text; its direction of writing does not reach the text around it. */
export function Name({ text }: { text: string }) {
  const shown = visible(text);
  return <bdi title={shown.length > LONG ? shown : undefined}>{shown}</bdi>;
}

interface PlaceLinkProps {
  readonly to: Place;
  readonly children?: ComponentChildren;
  readonly class?: string;
  readonly title?: string;
  readonly style?: Readonly<Record<string, string>>;
  /** What a screen reader says, where that is not what stands in it. */
  readonly label?: string;
  /** Bytes that its size stands for. */
  readonly bytes?: number;
}

/** A link to a place, without loading the page again; a new tab or a browser without script follows its address. */
export function PlaceLink({ to, children, label, bytes, ...rest }: PlaceLinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
    scrollTo(0, 0);
  };
  return (
    <a href={linkTo(to)} onClick={follow} aria-label={label} data-bytes={bytes} {...rest}>
      {children}
    </a>
  );
}

export const bytesText = (bytes: number | undefined): string => formatBytes(bytes ?? Number.NaN);

/** Bytes with a sign: growth and loss. */
export const changeText = (bytes: number | undefined): string => {
  if (bytes === undefined) return '–';
  if (bytes === 0) return '±0';
  return `${bytes > 0 ? '+' : '−'}${formatBytes(Math.abs(bytes))}`;
};

/** Bytes; the exact number on pointing at them, and ~ before an estimate. */
export function Bytes({ bytes, estimated = false }: { bytes: number | undefined; estimated?: boolean }) {
  if (bytes === undefined) return <>–</>;
  const exact = `${bytes} bytes${estimated ? ', estimated' : ''}`;
  return (
    <data value={String(bytes)} title={exact}>
      {estimated ? '~' : ''}
      {formatBytes(bytes)}
    </data>
  );
}

/** A time of the day where the reader is, "14:05:09" or without seconds. @param time Unix time, seconds */
export const timeText = (time: number, seconds = true): string =>
  new Date(time * 1000).toLocaleTimeString('en-GB', { timeStyle: seconds ? 'medium' : 'short' });

/** What the words mean; heads of tables and the list below them show it. */
export const WORDS = {
  Footprint:
    'The memory that a process or group really occupies. A page that several of its processes share counts once.',
  PSS: 'Proportional set size: pages in memory; a page that three processes share counts a third in each.',
  USS: 'Unique set size: pages that no other process has. The end of the process would free them.',
  RSS: 'Resident set size: all pages of the process in memory. A page that three processes share counts in all three.',
  Swap: 'Memory that was moved to swap space.',
  Measured: 'Coverage: the part of the RSS whose PSS is measured and up to date. The rest is estimated, marked with ~.',
  CPU: 'Use since the last collection; 100 % is one core.',
  Host: "Share of the host's memory.",
  Change: 'Of the footprint, since the oldest point of the history, at most an hour ago.',
  'OOM kills': 'Processes that the kernel killed because memory was short. – where its log may not be read.',
} as const;

export const Glossary = ({ of }: { of: readonly (keyof typeof WORDS)[] }) => (
  <details class="words">
    <summary>What the words mean</summary>
    <dl class="pairs">
      {of.map((word) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd>{WORDS[word]}</dd>
        </div>
      ))}
    </dl>
  </details>
);

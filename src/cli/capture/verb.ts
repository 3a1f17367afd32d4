// capture: records a host, so that its metrics can be served elsewhere.
import { duration, integer } from '../../config/value-types.ts';
import { parseWord, type Verb } from '../verb.ts';

export interface CaptureGiven {
  /** File to write; undefined: standard output. */
  readonly output: string | undefined;
  readonly frames: number;
  /** Seconds between two frames. */
  readonly every: number;
  /** Whether command lines are recorded with all their values. */
  readonly showValues: boolean;
}

export const captureVerb: Verb<CaptureGiven> = {
  name: 'capture',
  summary: 'Record what the kernel says into a file; with --capture FILE every command uses it instead of this host.',
  options: [
    { name: '--output', short: '-o', placeholder: 'FILE', help: 'File to write; without it, standard output.' },
    { name: '--frames', placeholder: 'N', default: '1', help: 'How many times to record.' },
    { name: '--every', placeholder: 'DURATION', default: '1s', help: 'Time between two recordings.' },
    {
      name: '--show-values',
      help: 'Record command lines with all their values, also passwords and keys; without it, values are hidden as ***.',
    },
  ],
  parse: ({ values, switches }) => ({
    output: values.get('--output'),
    frames: parseWord('--frames', values.get('--frames')!, integer(1, 10_000)),
    every: parseWord('--every', values.get('--every')!, duration('10ms', '1h')),
    showValues: switches.has('--show-values'),
  }),
  run: async (given, settings) => ({ output: await (await import('./capture.ts')).capture(settings, given) }),
};

// import process-exporter: the configuration of another exporter becomes a rule file.
import { UsageError, type Verb, type VerbGroup } from '../verb.ts';

export const importGroup: VerbGroup = {
  name: 'import',
  summary: "Turn another exporter's configuration into rules.",
};

/** What process-exporter itself would be started with. */
export interface ProcessExporterGiven {
  /** Its configuration file; undefined where the two flags give the names. */
  readonly path: string | undefined;
  readonly procnames: string;
  readonly namemapping: string;
}

export const importProcessExporterVerb: Verb<ProcessExporterGiven> = {
  name: 'import process-exporter',
  summary:
    'Print rules that group processes as a configuration of process-exporter does, and say what has no equivalent.',
  arguments: [{ name: 'FILE', count: 'optional', help: 'the file that process-exporter is given with -config.path' }],
  options: [
    { name: '--procnames', placeholder: 'NAME,…', help: 'Value of its flag -procnames, instead of a file.' },
    { name: '--namemapping', placeholder: 'NAME,REGEX,…', help: 'Value of its flag -namemapping, instead of a file.' },
  ],
  parse: ({ operands: [path], values }) => {
    const [procnames, namemapping] = [values.get('--procnames') ?? '', values.get('--namemapping') ?? ''];
    if ((path !== undefined) === (procnames + namemapping !== ''))
      throw new UsageError('import process-exporter takes either a FILE or --procnames and --namemapping');
    return { path, procnames, namemapping };
  },
  run: async (given) => (await import('./import-process-exporter.ts')).importProcessExporter(given),
};

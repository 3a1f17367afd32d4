// The names of process-exporter's groups. There a name is a Go template that is filled in for every running process, so
// that one entry can make many groups. Here a rule has one name, which has to be known before any process runs.
// {{.Comm}} with comm: [bash, sh] makes the groups "bash" and "sh"; {{.Username}} makes one group, "(Username)".
import { COMM_BYTES } from '../../rules/full-name.ts';
import { ACTION, type Entry } from './process-exporter-config.ts';

interface Group {
  readonly name: string;
  readonly comm: readonly string[] | undefined;
  readonly exe: readonly string[] | undefined;
}

/** What to use here in place of a name that is known only when a process runs. */
const INSTEAD: Readonly<Record<string, string>> = {
  Comm: 'the label name of the per-process families tells them apart',
  ExeBase: 'the label exe of herakles_process_info tells them apart',
  ExeFull: 'the label exe of herakles_process_info tells them apart',
  Username: 'the label user of herakles_process_info tells them apart',
  Cgroups:
    'unit, container_id and pod_uid of herakles_process_info tell them apart, and rules can ask for a unit or container',
  PID: 'the label pid of the per-process families tells them apart',
  StartTime: 'herakles_process_start_time_seconds tells them apart',
};

/** @param action of a template: ".Username" */
export const insteadOf = (action: string): string =>
  INSTEAD[/^\.(\w+)/.exec(action)?.[1] ?? ''] ?? 'write one rule for each value that matters, before this one';

/**
 * The groups that an entry makes: one for each value of the selector that its template names. A value that only a running
 * process has stands in parentheses, and makes one group of many.
 * @returns also the actions of the template whose value may differ from process-exporter's (inexact), and the actions
 * whose value only a running process has (dynamic)
 */
export function groupNames({ name, cmdline = [] }: Entry, comm: Group['comm'], exe: Group['exe']) {
  const template = name.replace(/\s*\{\{-\s/g, '{{').replace(/\s-\}\}\s*/g, '}}');
  const used = [...template.matchAll(ACTION)].map(([, action]) => action!);
  const [asksComm, asksExe] = [used.includes('.Comm'), used.some((action) => /^\.Exe/.test(action))];
  const [inexact, dynamic] = [new Set<string>(), new Set<string>()];
  const groups: Group[] = [];
  for (const oneComm of comm && (asksComm || (asksExe && !exe)) ? comm : [undefined]) {
    for (const oneExe of exe && (asksExe || (asksComm && !comm)) ? exe : [undefined]) {
      const filled = template.replace(ACTION, (_, action: string) => {
        const known = actionValue(action, oneComm, oneExe, cmdline);
        if (!known) dynamic.add(action);
        else if (!known.exact) inexact.add(action);
        return known?.value ?? `(${placeholder(action, cmdline)})`;
      });
      groups.push({ name: filled, comm: oneComm ? [oneComm] : comm, exe: oneExe ? [oneExe] : exe });
    }
  }
  return { groups, inexact, dynamic: [...dynamic] };
}

/** What stands in the name for a value that is not known. */
const placeholder = (action: string, cmdline: readonly string[]): string =>
  action === '.Matches' ? cmdline.join(' ') : (/\w+(?=\W*$)/.exec(action)?.[0] ?? 'name');

/**
 * The value of an action as far as the selectors tell. It is not exact where it comes from another selector: a process
 * may have been started under another name than that of its executable.
 */
function actionValue(action: string, comm: string | undefined, exe: string | undefined, cmdline: readonly string[]) {
  if (action === '.Comm' && comm !== undefined) return { value: comm, exact: true };
  if (action === '.Comm' && exe !== undefined) return { value: baseOf(exe).slice(0, COMM_BYTES), exact: false };
  if (action === '.ExeFull' && exe !== undefined) return { value: exe, exact: exe.includes('/') };
  if (action === '.ExeBase' && exe !== undefined) return { value: baseOf(exe), exact: true };
  if (/^\.Exe(?:Base|Full)$/.test(action) && comm !== undefined) return { value: comm, exact: false };
  // Without captures .Matches is the text that the last expression found, printed as Go prints a map.
  const last = cmdline.at(-1) ?? '';
  if (action !== '.Matches' || cmdline.some((source) => source.includes('('))) return undefined;
  if (!/^(?:[\w /:=,@%~.-]|\\[\W_])+$/.test(last)) return undefined;
  return { value: `map[:${last.replace(/\\(.)/g, '$1')}]`, exact: !/(?<!\\)\./.test(last) };
}

export const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

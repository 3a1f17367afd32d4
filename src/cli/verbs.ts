// The list of all verbs, in the order in which help shows them. To add a verb: its folder, and a line here.
import { bpfGroup, bpfPinVerb, bpfStatusVerb, bpfUnpinVerb } from './bpf/verb.ts';
import { captureVerb } from './capture/verb.ts';
import { checkVerb } from './check/verb.ts';
import { completionVerb } from './completion/verb.ts';
import { configGroup, configInitVerb, configShowVerb } from './config/verb.ts';
import { explainVerb } from './explain/verb.ts';
import { importGroup, importProcessExporterVerb } from './import/verb.ts';
import { installVerb, uninstallVerb, upgradeVerb } from './install/verb.ts';
import { scanVerb } from './scan/verb.ts';
import { serveVerb } from './serve/verb.ts';
import { lintVerb, subgroupsVerb, testVerb } from './subgroups/verb.ts';
import { topVerb } from './top/verb.ts';
import type { Verb, VerbGroup } from './verb.ts';

/** A verb of two words stands behind its first word. */
export const verbs: readonly (Verb | VerbGroup)[] = [
  serveVerb,
  checkVerb,
  topVerb,
  scanVerb,
  explainVerb,
  subgroupsVerb,
  lintVerb,
  testVerb,
  importGroup,
  importProcessExporterVerb,
  captureVerb,
  installVerb,
  upgradeVerb,
  uninstallVerb,
  bpfGroup,
  bpfPinVerb,
  bpfUnpinVerb,
  bpfStatusVerb,
  configGroup,
  configShowVerb,
  configInitVerb,
  completionVerb(() => verbs),
];

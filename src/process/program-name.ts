// The name of the program that a process runs, where its comm is not that name but an artefact of how it was started:
//
// - Node.js since version 22 calls its main thread "MainThread": the name of the executable is meant, "node";
// - NixOS replaces a program X by a wrapper that executes ".X-wrapped" (makeWrapper of nixpkgs): comm is the first 15
//   bytes of that, ".postgres-wrapp" of ".postgres-wrapped".

import { truncateComm } from '../rules/full-name.ts';
import { baseName } from '../rules/interpreter.ts';

const WRAPPED = /^\.(.+)-wrapped$/;

/** @param name comm as text @param exe path of the executable; '' where it is not known */
export function nameOfProgram(name: string, exe: string, argv: readonly string[]): string {
  const title = baseName(argv[0] ?? '');
  if (name === 'MainThread') return baseName(exe) || title || name;
  if (!name.startsWith('.')) return name;
  for (const program of [WRAPPED.exec(baseName(exe))?.[1], title])
    if (program && truncateComm(`.${program}-wrapped`) === name) return program;
  return name;
}

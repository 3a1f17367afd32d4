// node scripts/bpf.mjs [OUT]: compiles bpf/tasks.bpf.c with Debian's clang to bpf/tasks.bpf.o, which is committed, so that
// nobody who builds or runs the program needs clang. Without debugging sections, which hold the folder of the build; the types
// (BTF) stay, because libbpf needs them. test/bpf.e2e.ts builds it again and compares.
import { execFileSync } from 'node:child_process';
import { root } from './install.mjs';
import { ensure } from './test-servers.mjs';

/** @param {string} out @param {{ clang: string, strip: string }} tools */
export function buildObject(out, { clang, strip }) {
  const flags = ['-target', 'bpf', '-g', '-O2', '-Wall', '-Wextra', '-Werror', '-fdebug-compilation-dir=.'];
  execFileSync(clang, [...flags, '-c', 'bpf/tasks.bpf.c', '-o', out], { cwd: root, stdio: 'inherit' });
  execFileSync(strip, ['-g', out]);
}

if (process.argv[1] === import.meta.filename) {
  const { clang, 'llvm-strip': strip } = ensure('clang', 'llvm-strip');
  buildObject(process.argv[2] ?? `${root}bpf/tasks.bpf.o`, { clang, strip });
}

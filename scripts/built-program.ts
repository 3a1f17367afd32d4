// The program as `npm run build` makes it, for tests: a process builds it once, and writes nothing.
import { build, type Metafile } from 'esbuild';
import { programOptions } from './bundle.mjs';

const inner: Metafile[] = [];
const options = programOptions('dist/none/herakles.cjs', (metafile) => inner.push(metafile));
const { outputFiles, metafile } = await build({ ...options, write: false, metafile: true, logLevel: 'silent' });

/** The metafile of the program, and those of the programs that it holds as text. */
export const metafilesOfProgram: readonly Metafile[] = [metafile, ...inner];

const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
export const programText = textOf('.cjs');
export const programMap = textOf('.cjs.map');

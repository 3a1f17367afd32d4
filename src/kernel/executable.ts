// Whether this program is the single executable (scripts/release/executable.ts), and how that starts itself as a reader.
import { isSea } from 'node:sea';

/** False where Node.js runs the bundle. */
export const isExecutable = isSea();

/** As the first word it makes the executable a reader; the second is where /proc is mounted. */
export const READER_WORD = '--herakles-reader';

/** The executable that runs, also after another one has been put in its place: an older reader for an older exporter. */
export const OWN_EXECUTABLE = '/proc/self/exe';

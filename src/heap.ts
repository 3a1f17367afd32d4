// Keeps this program small: imported first, it holds V8's young generation at its initial size, for little here is
// short-lived, and can give back what starting up left behind.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

/** Collects all garbage at once. Holds the event loop for some 10 ms: for moments when nobody waits, once or twice. */
export const tidyUp = (): void => collectGarbage();

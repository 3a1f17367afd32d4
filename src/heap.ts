// Imported first: keeps V8's young generation at its initial size. Little here is short-lived, and a young generation
// that grows to 16 MiB and stays there would be the largest part of this program's memory.
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');

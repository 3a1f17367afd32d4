// Writes a file so that its path holds either what it held before or the whole new text, and only the owner chooses who may
// read it. The text goes into a new file beside the path, which is then renamed. A file that somebody else has put at the
// path cannot lend its owner and mode to the text, and a link there is never followed. Example: `capture -o /tmp/host.txt`
// by root, where a user has made /tmp/host.txt with mode 0666, or a link to /etc/passwd.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * @param mode of the file, whatever the umask is
 * @throws Error with the path where it cannot be written; then nothing has changed
 */
export function writeNewFile(path: string, content: string | Uint8Array, mode: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  // A device would be gone for all programs; where a link points to is not for this program to decide.
  if (found && !found.isFile()) throw new Error(`${path} is ${found.isSymbolicLink() ? 'a link' : 'no regular file'}`);
  const fresh = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      writeFileSync(descriptor, content);
      fchmodSync(descriptor, mode);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

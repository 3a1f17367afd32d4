// The thread that compares passwords with bcrypt hashes: a comparison takes 50 ms and more, and scrapes must not wait.
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

parentPort!.on('message', ({ password, hash }: { password: string; hash: string }) => {
  parentPort!.postMessage(compareSync(password, hash));
});

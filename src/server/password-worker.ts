// The thread that compares passwords with bcrypt hashes. A comparison takes 50 ms or more; on the main thread, every scrape
// would wait for it.
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

parentPort!.on('message', ({ password, hash }: { password: string; hash: string }) => {
  parentPort!.postMessage(compareSync(password, hash));
});

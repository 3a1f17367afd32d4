// The bundle as a protected server: started with a web file, asked over HTTP and HTTPS, by host name and by bare socket.
import { writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { Exposition } from './exposition-text.ts';
import { bundle, eventually, freePort, replace, type Scope, Started, scratch } from './harness.ts';

export interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The certificate that the server presented, over TLS. */
  readonly certificate: PeerCertificate | undefined;
  readonly protocol: string;
  readonly cipher: string;
}

/** One request; rejects where there is no answer. */
export function sendRequest(url: string, options: RequestOptions & { body?: string } = {}): Promise<Response> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, { agent: false, timeout: 15_000, ...rest }, (response) => {
      const socket = response.socket as TLSSocket;
      const chunks: Buffer[] = [];
      const tls = socket.encrypted === true;
      const seen = {
        certificate: tls ? socket.getPeerCertificate() : undefined,
        protocol: tls ? String(socket.getProtocol()) : '',
        cipher: tls ? socket.getCipher().standardName : '',
      };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, ...seen });
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 15 s')));
    request.on('error', reject);
    request.end(body);
  });
}

export class WebServer extends Started {
  readonly port: number;
  readonly dir: string;
  /** With localhost as its host. */
  readonly url: string;

  constructor(t: Scope, port: number, dir: string, tls: boolean, args: readonly string[], command: readonly string[]) {
    const at = ['--web.listen-address', `127.0.0.1:${port}`, '--web.listen-address', `[::1]:${port}`];
    super(t, [...command, bundle, ...at, ...args], { cwd: dir, env: { HOME: dir } });
    this.port = port;
    this.dir = dir;
    this.url = `${tls ? 'https' : 'http'}://localhost:${port}`;
  }

  /** Waits for a line of the log that matches. @param from characters of the log that are not looked at */
  logs(what: RegExp, from = 0, timeoutMs = 30_000): Promise<string> {
    return eventually(
      () => {
        const line = this.stderr
          .slice(from)
          .split('\n')
          .find((one) => what.test(one));
        if (!line) throw new Error(`no ${what} in: ${this.stderr.slice(from)}`);
        return line;
      },
      timeoutMs,
      30,
    );
  }

  /** Replaces its web file, and waits until the file is in force, or the log says that it is wrong. */
  async rewrite(web: string, outcome = /configuration loaded|not loaded/): Promise<string> {
    const from = this.stderr.length;
    replace(`${this.dir}/web.yml`, web);
    return this.logs(outcome, from);
  }

  async metrics(options: RequestOptions = {}): Promise<Exposition> {
    const { status, body } = await sendRequest(`${this.url}/metrics`, options);
    if (status !== 200) throw new Error(`/metrics: ${status} ${body}`);
    return new Exposition(body);
  }

  /** A bare connection; what is received is kept in `text`. */
  async socket(): Promise<Socket & { text: string }> {
    const socket = Object.assign(connect(this.port, '127.0.0.1'), { text: '' });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      socket.text += chunk.toString('latin1');
    });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('close', reject));
    return socket;
  }
}

/** Starts the bundle with this web file, on IPv4 and IPv6, and waits until it listens. */
export async function serve(
  t: Scope,
  web: string,
  args: readonly string[] = [],
  node = process.execPath,
  wrap: readonly string[] = [],
): Promise<WebServer> {
  const dir = scratch();
  const port = await freePort();
  const file = web === '' ? [] : ['--web.config.file', `${dir}/web.yml`];
  if (web) writeFileSync(`${dir}/web.yml`, web);
  const tls = /tls_server_config/.test(web) || args.includes('--enable-tls');
  const server = new WebServer(t, port, dir, tls, [...file, ...args], [...wrap, node]);
  await eventually(
    () => {
      if (!server.running) throw new Error(`it ended: ${server.stderr}`);
      if (server.stderr.split('msg=serving').length < 3) throw new Error(`it does not serve: ${server.stderr}`);
    },
    60_000,
    30,
  );
  return server;
}

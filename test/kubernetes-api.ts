// The part of the Kubernetes API that pod discovery uses: GET /api/v1/pods as a list and as a watch
// (Kubernetes API concepts, "Efficient detection of changes" and "Streaming lists"). It serves the pods that a test gives it.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './harness.ts';

export type Pod = {
  name: string;
  node: string;
  ip: string;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};

type Change = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

const event = (type: Change, object: object): string => `${JSON.stringify({ type, object })}\n`;

export class KubernetesApi {
  url = '';
  /** Every request so far, for the message of a failed test. */
  readonly requests: string[] = [];
  readonly #pods = new Map<string, object>();
  readonly #watchers = new Set<ServerResponse>();
  #version = 1;

  /** Adds or changes a pod, and sends the event to every watch. */
  put(pod: Pod): void {
    const change = this.#pods.has(pod.name) ? 'MODIFIED' : 'ADDED';
    this.#version++;
    this.#pods.set(pod.name, this.#object(pod));
    this.#tell(change, this.#pods.get(pod.name)!);
  }

  delete(name: string): void {
    const gone = this.#pods.get(name)!;
    this.#pods.delete(name);
    this.#version++;
    this.#tell('DELETED', gone);
  }

  async start(t: Scope): Promise<this> {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://api');
      this.requests.push(`${request.method} ${request.url}`);
      if (url.pathname !== '/api/v1/pods') return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': 'application/json' });
      const asks = (parameter: string) => /^(1|true)$/.test(url.searchParams.get(parameter) ?? '');
      if (asks('watch')) this.#watch(response, asks('sendInitialEvents'));
      else response.end(JSON.stringify(this.#list()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return this;
  }

  /** @param all the list comes first, as events that end with a bookmark: newer clients ask for that */
  #watch(response: ServerResponse, all: boolean): void {
    response.flushHeaders();
    if (all) {
      for (const object of this.#pods.values()) response.write(event('ADDED', object));
      const metadata = { ...this.#metadata(), annotations: { 'k8s.io/initial-events-end': 'true' } };
      response.write(event('BOOKMARK', { kind: 'Pod', apiVersion: 'v1', metadata }));
    }
    this.#watchers.add(response);
    response.on('close', () => this.#watchers.delete(response));
  }

  #tell(type: Change, object: object): void {
    for (const watcher of this.#watchers) watcher.write(event(type, object));
  }

  #metadata() {
    return { resourceVersion: String(this.#version) };
  }

  #list(): object {
    return { kind: 'PodList', apiVersion: 'v1', metadata: this.#metadata(), items: [...this.#pods.values()] };
  }

  #object({ name, node, ip, phase, labels = {}, annotations = {} }: Pod): object {
    const metadata = { ...this.#metadata(), name, namespace: 'monitoring', uid: name };
    const ports = [{ name: 'metrics', containerPort: 9215, protocol: 'TCP' }];
    return {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { ...metadata, labels, annotations },
      spec: { nodeName: node, containers: [{ name: 'exporter', image: 'exporter', ports }] },
      status: { phase, podIP: ip, hostIP: ip, conditions: [{ type: 'Ready', status: 'True' }] },
    };
  }
}

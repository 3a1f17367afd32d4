// What a handler answers, and the answers that many handlers give: text, JSON, and "later".
import { escapedJson } from '../text/hostile.ts';
import type { SharedPart } from './unread-responses.ts';

export interface RouteResponse {
  readonly status: number;
  readonly type: string;
  /** Text, or the pieces of the body in order. */
  readonly body: string | readonly Buffer[];
  /** The parts of the body that other responses share; undefined: nothing. */
  readonly shared?: readonly SharedPart[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Source of the style that the content security policy has to allow: 'sha256-…'. */
  readonly style?: string;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

export const textResponse = (status: number, body: string): RouteResponse => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

export const retryLater = (status: number, what: string, seconds = 1): RouteResponse => ({
  ...textResponse(status, `${what}; try again later`),
  headers: { 'retry-after': String(Math.max(1, seconds)) },
});

export const jsonResponse = (document: unknown): RouteResponse => ({
  status: 200,
  type: JSON_TYPE,
  body: escapedJson(document, 2),
});

// The documents of /api/v1 that the page shows, by the types of their declaration: nothing but types is imported, so the
// page is a program of its own, and a field that is renamed there does not build here.
import type { DocumentOf } from '../server/api-v1/schema.ts';

export type HostDocument = DocumentOf<'host'>;
export type HostProblem = HostDocument['problems'][number];
export type GroupsDocument = DocumentOf<'groups'>;
export type GroupEntry = GroupsDocument['groups'][number];
export type ProcessesDocument = DocumentOf<'processes'>;
export type ProcessEntry = ProcessesDocument['processes'][number];
export type ProcessDocument = DocumentOf<'process'>;
export type HistoryDocument = DocumentOf<'history'>;
export type EventsDocument = DocumentOf<'events'>;

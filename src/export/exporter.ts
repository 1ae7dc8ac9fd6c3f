import type { CaptureReader } from '../capture/capture-reader.ts';
import type { Filter } from '../capture/filter.ts';
import type { MessageReader } from '../capture/message-reader.ts';
import type { SessionSummary } from '../contract/session.ts';
import { FrametapError } from '../errors.ts';
import { jsonExporter } from './json.ts';

export interface ExportJob {
  readonly reader: CaptureReader;
  readonly messages: MessageReader;
  /** Which sessions; all where it is left out. */
  readonly wanted?: (session: SessionSummary) => boolean | Promise<boolean>;
  /** Which of their frames and messages; all where it is left out. */
  readonly filter?: ExportFilter;
  /** Name and version of this program. */
  readonly generator: string;
  readonly exportedAt: Date;
  /** Leaves cookies and credentials in the handshakes as they were. */
  readonly withSecrets: boolean;
}

export interface ExportFilter {
  readonly text: string;
  readonly of: Filter;
  /** Looks for the frames of a session that pass, a few at a time. */
  readonly search: (id: string) => AsyncIterable<{ readonly indexes: readonly number[] }>;
}

/** One format that a capture can be written in. */
export interface Exporter {
  readonly format: string;
  readonly contentType: string;
  /** Without a dot. */
  readonly extension: string;
  /**
   * Writes as it is read from, in pieces of about `EXPORT_CHUNK_CHARS`, and gives way to other work in between. What
   * is exported is fixed piece by piece: the sessions when it begins, each session's frames when its turn comes.
   */
  write(job: ExportJob): AsyncGenerator<string, void, undefined>;
}

const EXPORTERS: readonly Exporter[] = [jsonExporter];

export const EXPORT_FORMATS: readonly string[] = EXPORTERS.map(({ format }) => format);

/** @throws {FrametapError} `invalid-parameter` */
export function exporterFor(format: string): Exporter {
  const exporter = EXPORTERS.find((candidate) => candidate.format === format);
  if (exporter === undefined) {
    throw new FrametapError('invalid-parameter', `No such format: ${format}. There are: ${EXPORT_FORMATS.join(', ')}.`);
  }
  return exporter;
}

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CaptureReader } from '../capture/capture-reader.ts';
import type { MessageReader } from '../capture/message-reader.ts';
import type { LoadedTypes } from '../decode/proto/loaded-types.ts';
import { ErrorAnswer } from './schema.ts';
import type { Live } from './live.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** `url` ends with a slash. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** What the routes work with. */
export interface RouteContext {
  readonly reader: CaptureReader;
  readonly messages: MessageReader;
  /** Message types of .proto files. */
  readonly types: LoadedTypes;
  readonly live: Live;
  readonly version: string;
  readonly command: string;
  readonly caCertificatePem: string;
  readonly proxyAddress: () => ListenAddress;
  readonly dashboardAddress: () => ListenAddress;
  readonly uptimeMs: () => number;
}

/** The errors that any route of the API may answer with. */
export const errorAnswers = { '4xx': ErrorAnswer, '5xx': ErrorAnswer } as const;

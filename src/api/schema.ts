import { Type, type TProperties, type TSchema } from 'typebox';
import type { ApiError, FramePage, IndexPage, MessagePage, Recording, SessionPage } from '../contract/api.ts';
import type { SessionDetail } from '../contract/session.ts';
import type { Status } from '../contract/status.ts';
import { FRAME_VIOLATIONS, HANDSHAKE_VIOLATIONS, MESSAGE_VIOLATIONS } from '../contract/violations.ts';

/**
 * What the API takes and answers, as JSON Schema: requests are validated against it, and the OpenAPI document is made
 * of it. test/api/schema.test.ts holds the answers, and the contract's types, against it.
 */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>(Type.String({ enum: [...values] }));
const codesOf = <const T extends readonly (readonly [string, string, string])[]>(catalogue: T) =>
  oneOf(catalogue.map(([code]) => code) as readonly string[] as readonly T[number][0][]);

/** An answer's schema, typed as what the contract says: a test holds the one against the other. */
const answer = <T>(members: TProperties) => Type.Unsafe<T>(Type.Object(members));

const Count = Type.Integer({ minimum: 0 });
const Micros = Type.String({ description: 'ISO 8601, UTC, with microseconds' });
const Party = oneOf(['client', 'server', 'proxy']);
const Address = Type.Object({ address: Type.String(), port: Type.Integer() });
const ListenAddress = Type.Object({ host: Type.String(), port: Type.Integer(), url: Type.String() });
const DirectionSchema = oneOf(['client-to-server', 'server-to-client']);

const PreviewSchema = Type.Object({
  encoding: oneOf(['utf8', 'hex']),
  data: Type.String(),
  truncated: Type.Boolean(),
});

const FrameRowSchema = Type.Object({
  index: Count,
  seq: Count,
  time: Micros,
  direction: DirectionSchema,
  fin: Type.Boolean(),
  rsv1: Type.Boolean(),
  rsv2: Type.Boolean(),
  rsv3: Type.Boolean(),
  opcode: Type.Integer({ minimum: 0, maximum: 15 }),
  masked: Type.Boolean(),
  maskingKey: nullable(Type.String()),
  payloadLength: Count,
  heldBytes: Count,
  lengthBits: Type.Union([Type.Literal(7), Type.Literal(16), Type.Literal(64)]),
  compressed: Type.Boolean(),
  streamOffset: Count,
  complete: Type.Boolean(),
  origin: oneOf(['peer', 'injected', 'replaced']),
  violations: Type.Array(codesOf(FRAME_VIOLATIONS)),
  preview: nullable(PreviewSchema),
});

const MessageRowSchema = Type.Object({
  index: Count,
  direction: DirectionSchema,
  type: oneOf(['text', 'binary']),
  firstFrame: Count,
  lastFrame: Count,
  frameCount: Count,
  time: Micros,
  compressed: Type.Boolean(),
  complete: Type.Boolean(),
  wireLength: Count,
  payloadLength: nullable(Count),
  violations: Type.Array(codesOf(MESSAGE_VIOLATIONS)),
  preview: nullable(PreviewSchema),
});

const Ending = oneOf(['fin', 'reset', 'timeout']);
const CloseFrame = Type.Object({ code: nullable(Type.Integer()), reason: Type.String(), frameIndex: Count });
const Close = Type.Object({
  by: Party,
  code: nullable(Type.Integer()),
  reason: Type.String(),
  clean: Type.Boolean(),
  how: oneOf(['closing-handshake', 'fin', 'reset', 'timeout']),
  clientFrame: nullable(CloseFrame),
  serverFrame: nullable(CloseFrame),
  echoMs: nullable(Type.Number()),
  clientEnding: nullable(Ending),
  serverEnding: nullable(Ending),
});
const Silence = Type.Object(
  { since: Micros, survivedMs: Type.Number(), beforeEndMs: nullable(Type.Number()) },
  { description: 'Of both sides together: neither data nor ping nor pong' },
);
const Totals = Type.Object({ frames: Count, bytes: Count });

const summaryMembers = {
  id: Type.String(),
  seq: Count,
  url: Type.String(),
  mode: oneOf(['connect', 'absolute-form', 'reverse']),
  state: oneOf(['connecting', 'open', 'closed', 'failed']),
  startedAt: Micros,
  openedAt: nullable(Micros),
  closedAt: nullable(Micros),
  client: Address,
  status: nullable(Type.Integer()),
  subprotocol: nullable(Type.String()),
  extensions: nullable(Type.String()),
  clientToServer: Totals,
  serverToClient: Totals,
  frameCount: Count,
  firstHeldFrame: Count,
  violationCount: Count,
  silence: nullable(Silence),
  close: nullable(Close),
  fault: nullable(Type.Object({ by: Party, code: Type.String(), message: Type.String() })),
};
const SessionSummarySchema = Type.Object(summaryMembers);

const Tls = Type.Object({
  version: Type.String(),
  cipher: Type.String(),
  alpn: nullable(Type.String()),
  certificateSha256: nullable(Type.String()),
});
const Headers = Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }), {
  description: 'Names and values in the order, case and number in which they stood on the wire',
});
const RequestHead = Type.Object({
  method: Type.String(),
  target: Type.String(),
  httpVersion: Type.String(),
  headers: Headers,
});
const ResponseHead = Type.Object({
  httpVersion: Type.String(),
  status: Type.Integer(),
  reason: Type.String(),
  headers: Headers,
});
const Proof = Type.Object({
  key: nullable(Type.String()),
  expected: nullable(Type.String()),
  received: nullable(Type.String()),
  matches: Type.Boolean(),
});
const Milliseconds = nullable(Type.Number());

export const SessionDetailAnswer = answer<SessionDetail>({
  ...summaryMembers,
  server: Type.Object({ address: Type.String(), port: Type.Integer(), tls: nullable(Tls) }),
  clientTls: nullable(Tls),
  timingsMs: Type.Object({
    dns: Milliseconds,
    connect: Milliseconds,
    tls: Milliseconds,
    upgrade: Milliseconds,
    firstFrame: Milliseconds,
  }),
  handshake: Type.Object({
    clientRequest: nullable(RequestHead),
    serverRequest: nullable(RequestHead),
    serverResponse: nullable(ResponseHead),
    clientResponse: nullable(ResponseHead),
  }),
  refusalBody: nullable(Type.String()),
  proof: Type.Object({ client: Proof, server: Proof }),
  violations: Type.Array(
    Type.Object({
      code: oneOf([
        ...FRAME_VIOLATIONS.map(([code]) => code),
        ...MESSAGE_VIOLATIONS.map(([code]) => code),
        ...HANDSHAKE_VIOLATIONS.map(([code]) => code),
      ]),
      by: Party,
      count: Count,
      firstFrame: nullable(Count),
    }),
  ),
});

export const StatusAnswer = answer<Status>({
  version: Type.String(),
  command: Type.String(),
  uptimeMs: Count,
  proxy: ListenAddress,
  dashboard: ListenAddress,
  epoch: Type.String(),
  seq: Count,
  recording: Type.Boolean(),
  sessions: Count,
  openSessions: Count,
  frames: Count,
  bytes: Count,
  memory: Type.Object({ budgetBytes: Count, usedBytes: Count }),
  evicted: Type.Object({ sessions: Count, frames: Count, bytes: Count }),
});

export const SessionPageAnswer = answer<SessionPage>({
  sessions: Type.Array(SessionSummarySchema),
  next: nullable(Type.String()),
  needsFrames: Type.Boolean(),
});
export const FramePageAnswer = answer<FramePage>({
  frames: Type.Array(FrameRowSchema),
  next: nullable(Count),
  frameCount: Count,
  firstHeldFrame: Count,
  growing: Type.Array(Count),
  unreadable: Count,
});
export const MessagePageAnswer = answer<MessagePage>({
  messages: Type.Array(MessageRowSchema),
  next: nullable(Count),
  messageCount: Count,
  firstHeldMessage: Count,
  growing: Type.Array(Count),
  unreadable: Count,
});
export const IndexPageAnswer = answer<IndexPage>({
  indexes: Type.Array(Count),
  next: nullable(Count),
  end: Count,
  growing: Type.Array(Count),
  unreadable: Count,
});
export const RecordingAnswer = answer<Recording>({ recording: Type.Boolean() });
export const RecordingSchema = Type.Object({ recording: Type.Boolean() }, { additionalProperties: false });
export const ErrorAnswer = answer<ApiError>({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    position: Type.Optional(Count),
    file: Type.Optional(Type.String()),
    line: Type.Optional(Count),
  }),
});

export const SessionId = Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$', description: 'a decimal number' });
export const Filter = Type.String({ maxLength: 10_000, description: 'see docs/filter.md' });
export const Index = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const SessionParams = Type.Object({ id: SessionId });
export const SessionIndexParams = Type.Object({ id: SessionId, index: Index });

/** Bytes of a payload, as OpenAPI 3.1 writes a binary body. */
export const bytesAnswer = (description: string) => ({
  description,
  content: { 'application/octet-stream': { schema: Type.Unsafe<unknown>({}) } },
});
export const EmptyAnswer = Type.Null({ description: 'done' });

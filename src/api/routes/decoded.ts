import { Type } from 'typebox';
import { completions } from '../../capture/filter/completion.ts';
import type { DecodedFrame, DecodedValue, FilterCompletions } from '../../contract/decoded.ts';
import { DECODER_NAMES, lookAt, MAX_DECODED_BYTES, StickyDecoders, TYPED } from '../../decode/decoder.ts';
import { FrametapError } from '../../errors.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { frameContent } from '../frame-content.ts';
import { Filter, Index, SessionIndexParams } from '../schema.ts';
import { noSession } from './sessions.ts';

const NAMES = DECODER_NAMES.map((name) => name.replaceAll('.', '\\.')).join('|');
/** A decoder's name as a pattern, with these beside. */
const decoderName = (...more: readonly string[]) =>
  Type.String({ pattern: `^(${[NAMES, ...more].join('|')}|${TYPED}[A-Za-z_][A-Za-z0-9_.]*)$` });

const DecodedAnswer = Type.Unsafe<DecodedFrame>(
  Type.Object({
    name: decoderName(),
    score: Type.Number(),
    summary: Type.String(),
    value: Type.Unsafe<DecodedValue>({}),
    candidates: Type.Array(Type.Object({ name: Type.String(), score: Type.Number() })),
    asked: Type.Boolean(),
    kept: Type.Union([Type.String(), Type.Null()]),
    decodedBytes: Type.Integer(),
    whole: Type.Boolean(),
    growing: Type.Boolean(),
  }),
);
const CompletionsAnswer = Type.Unsafe<FilterCompletions>(
  Type.Object({
    from: Type.Integer(),
    to: Type.Integer(),
    options: Type.Array(Type.Object({ text: Type.String(), means: Type.String() })),
  }),
);

export function registerDecoded(app: Api, { reader, messages, types }: RouteContext): void {
  const sticky = new StickyDecoders();
  app.get(
    '/api/sessions/:id/frames/:index/decoded',
    {
      schema: {
        summary: "The frame's message, decoded",
        description:
          'as: the decoder to use where it can read the message; without it the surest one, or the one that was last ' +
          'asked for by name for this URL and direction. as=auto forgets that one. as=protobuf:NAME is a message type ' +
          'of a .proto file that is loaded: see /api/protos.',
        params: SessionIndexParams,
        querystring: Type.Object({ as: Type.Optional(decoderName('auto')) }),
        response: { 200: DecodedAnswer, ...errorAnswers },
      },
    },
    async (request): Promise<DecodedFrame> => {
      const { id, index } = request.params;
      const session = reader.session(id);
      if (session === undefined) throw noSession(id);
      const content = await frameContent({ reader, messages }, id, index);
      const { url, subprotocol } = session;
      const wanted = request.query.as;
      if (wanted?.startsWith(TYPED) === true && !types.has(wanted.slice(TYPED.length))) {
        throw new FrametapError('invalid-parameter', `No message type ${wanted.slice(TYPED.length)} is loaded.`);
      }
      if (wanted !== undefined) sticky.remember(url, content.direction, wanted);
      const hint = sticky.hintFor(url, content.direction) ?? 'auto';
      const context = { opcode: content.opcode, subprotocol, url, types, hint, cut: !content.whole };
      const { chosen, candidates } = lookAt(content.bytes, context);
      const decodedBytes = Math.min(content.bytes.length, MAX_DECODED_BYTES);
      return {
        ...chosen,
        candidates,
        asked: chosen.name === hint,
        kept: hint === 'auto' ? null : hint,
        decodedBytes,
        whole: content.whole && decodedBytes === content.bytes.length,
        growing: content.growing,
      };
    },
  );

  app.get(
    '/api/filter/completions',
    {
      schema: {
        summary: 'What may stand in a filter where the cursor is',
        querystring: Type.Object({ text: Filter, cursor: Index }),
        response: { 200: CompletionsAnswer, ...errorAnswers },
      },
    },
    (request): FilterCompletions => completions(request.query.text, request.query.cursor),
  );
}

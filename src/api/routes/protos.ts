import { Type } from 'typebox';
import { PROTO_LIMITS, type LoadedProtos, type ProtoText } from '../../contract/protos.ts';
import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';

/** JSON may write a character of a text with two, and names and braces come on top. */
const MAX_BODY_BYTES = 2 * PROTO_LIMITS.totalBytes;

const FileName = Type.String({ minLength: 1, maxLength: 1_000, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });
const ProtosAnswer = Type.Unsafe<LoadedProtos>(
  Type.Object({
    files: Type.Array(
      Type.Object({
        name: Type.String(),
        bytes: Type.Integer({ minimum: 0 }),
        messages: Type.Array(Type.String()),
      }),
    ),
    replaced: Type.Optional(Type.Array(Type.String())),
  }),
);
const ProtosBody = Type.Unsafe<{ readonly files: readonly ProtoText[] }>(
  Type.Object(
    {
      files: Type.Array(Type.Object({ name: FileName, text: Type.String() }), {
        minItems: 1,
        maxItems: PROTO_LIMITS.files,
      }),
    },
    { additionalProperties: false },
  ),
);

/** The .proto files whose message types decode. */
export function registerProtos(app: Api, { types }: RouteContext): void {
  app.get(
    '/api/protos',
    {
      schema: {
        summary: 'The .proto files that are loaded, and their message types',
        response: { 200: ProtosAnswer, ...errorAnswers },
      },
    },
    () => types.list(),
  );

  app.put(
    '/api/protos',
    {
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        summary: 'Loads .proto files, all of them or none',
        description:
          'They come beside those that are loaded, and in place of those of the same name: replaced has the names of these where their text was another. Their imports have to be ' +
          "loaded with them or before; Google's well-known types are there. What is wrong is told with file and line. " +
          `At most ${PROTO_LIMITS.files} files of ${PROTO_LIMITS.fileBytes} bytes, ${PROTO_LIMITS.totalBytes} in all.`,
        body: ProtosBody,
        response: { 200: ProtosAnswer, ...errorAnswers },
      },
    },
    (request) => types.load(request.body.files),
  );

  app.delete(
    '/api/protos',
    {
      schema: {
        summary: 'Removes a .proto file that no other one needs, or without a name all of them',
        querystring: Type.Object({ name: Type.Optional(FileName) }),
        response: { 200: ProtosAnswer, ...errorAnswers },
      },
    },
    (request) => {
      const { name } = request.query;
      return name === undefined ? types.removeAll() : types.remove(name);
    },
  );
}

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { LiveHello } from '../contract/live.ts';
import { FrametapError } from '../errors.ts';
import { SessionId } from './schema.ts';

/** Sessions whose frames one dashboard may name. */
const MAX_CHOSEN_SESSIONS = 1_000;

const helloSchema = Compile(
  Type.Object({
    type: Type.Literal('hello'),
    epoch: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
    since: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    frames: Type.Optional(
      Type.Union([Type.Literal('all'), Type.Literal('none'), Type.Array(SessionId, { maxItems: MAX_CHOSEN_SESSIONS })]),
    ),
  }),
);

/**
 * Reads what a dashboard says on the live stream.
 * @throws {FrametapError} `invalid-parameter`
 */
export function parseHello(text: string): LiveHello {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (error) {
    throw new FrametapError('invalid-parameter', 'This is not JSON.', { cause: error });
  }
  if (helloSchema.Check(message)) return message;
  const [first] = helloSchema.Errors(message);
  const place = first?.instancePath === undefined || first.instancePath === '' ? 'The message' : first.instancePath;
  throw new FrametapError(
    'invalid-parameter',
    `${place} ${first?.message ?? 'is wrong'}; expected { "type": "hello", "epoch", "since", "frames" }.`,
  );
}

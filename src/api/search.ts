import type { FastifyReply } from 'fastify';

/** A filtered page ends after so long, with what was found, so that the first results come soon. */
export const SEARCH_MS = 250;

const signals = new WeakMap<FastifyReply, AbortSignal>();

/** Aborted when the caller is gone before it was answered: nobody waits for the work any more. */
export function signalOf(reply: FastifyReply): AbortSignal {
  let signal = signals.get(reply);
  if (signal === undefined) {
    const controller = new AbortController();
    reply.raw.once('close', () => controller.abort());
    ({ signal } = controller);
    signals.set(reply, signal);
  }
  return signal;
}
